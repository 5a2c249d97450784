internal import SagamoreAPI
internal import SagamoreProtobuf

/// Builds responses to workflow tasks.
struct WorkflowReply: Sendable {
    let namespace: String
    let identity: String
    let taskQueue: String
    /// This worker's sticky queue; nil when no run stays in memory.
    let stickyQueue: String?
    let stickyTimeout: Duration

    /// The largest value that Temporal's servers accept: 2 MB.
    static let mostPayloadBytes = 2 * 1024 * 1024

    /// gRPC's default limit for a request: 4 MB.
    static let mostRequestBytes = 4 * 1024 * 1024

    func completed(
        _ task: WorkflowTask,
        _ commands: [Command],
        _ messages: [ProtocolMessage],
        _ queryResults: ProtobufMap<WorkflowQueryResult>
    ) -> RespondWorkflowTaskCompletedRequest {
        var request = RespondWorkflowTaskCompletedRequest()
        request.namespace = namespace
        request.identity = identity
        request.taskToken = task.response.taskToken
        request.commands = commands
        request.messages = messages
        // The run survives a workflow task that the server drops, because only rejected updates were in it.
        request.capabilities = RespondWorkflowTaskCompletedRequest.Capabilities()
        request.capabilities?.discardSpeculativeWorkflowTaskWithEvents = true
        request.queryResults = queryResults
        request.returnNewWorkflowTask = true
        if let stickyQueue {
            var sticky = StickyExecutionAttributes()
            sticky.workerTaskQueue = TaskQueue(name: stickyQueue, kind: .sticky, normalName: taskQueue)
            sticky.scheduleToStartTimeout = ProtobufDuration(stickyTimeout)
            request.stickyAttributes = sticky
        }
        // Only in the run's first task: later workers of the run must use the same order.
        if task.response.previousStartedEventID == 0 {
            var metadata = WorkflowTaskCompletedMetadata()
            metadata.langUsedFlags = [WorkflowOrder.firstInFirstOut]
            metadata.sdkName = WorkflowOrder.sdkName
            metadata.sdkVersion = WorkflowOrder.sdkVersion
            request.sdkMetadata = metadata
        }
        return request
    }

    func failed(_ task: WorkflowTask, _ failure: WorkflowRun.TaskFailure) -> RespondWorkflowTaskFailedRequest {
        var request = RespondWorkflowTaskFailedRequest()
        request.namespace = namespace
        request.identity = identity
        request.taskToken = task.response.taskToken
        request.cause = failure.cause
        request.failure = RawMessage(FailureCoding.failure(failure.error))
        return request
    }

    func answered(
        _ task: WorkflowTask,
        _ answer: Result<RawMessage<Payloads>, any Error>
    ) -> RespondQueryTaskCompletedRequest {
        let result = Self.result(answer)
        var request = RespondQueryTaskCompletedRequest()
        request.namespace = namespace
        request.taskToken = task.response.taskToken
        request.completedType = result.resultType
        request.queryResult = result.answer
        request.errorMessage = result.errorMessage
        request.failure = result.failure
        return request
    }

    /// The result of a query.
    static func result(_ answer: Result<RawMessage<Payloads>, any Error>) -> WorkflowQueryResult {
        var result = WorkflowQueryResult()
        do {
            let payloads = try answer.get()
            guard payloads.bytes.count <= mostPayloadBytes else { throw tooLarge("the answer", payloads.bytes.count) }
            result.resultType = .answered
            result.answer = payloads
        } catch {
            let failure = FailureCoding.failure(error)
            result.resultType = .failed
            result.errorMessage = failure.message
            result.failure = RawMessage(failure)
        }
        return result
    }

    /// The error for the first value that exceeds the limit, or nil.
    static func tooLarge(_ commands: [Command]) -> ApplicationError? {
        for command in commands {
            switch command.attributes {
            case .scheduleActivityTaskCommandAttributes(let activity):
                guard let bytes = activity.input?.bytes.count, bytes > mostPayloadBytes else { continue }
                return tooLarge("the input of activity '\(activity.activityType?.name ?? "")'", bytes)
            case .completeWorkflowExecutionCommandAttributes(let completed):
                guard let bytes = completed.result?.bytes.count, bytes > mostPayloadBytes else { continue }
                return tooLarge("the workflow's result", bytes)
            case .startChildWorkflowExecutionCommandAttributes(let child):
                guard let bytes = child.input?.bytes.count, bytes > mostPayloadBytes else { continue }
                return tooLarge("the input of child workflow '\(child.workflowType?.name ?? "")'", bytes)
            case .signalExternalWorkflowExecutionCommandAttributes(let signal):
                guard let bytes = signal.input?.bytes.count, bytes > mostPayloadBytes else { continue }
                return tooLarge("the input of signal '\(signal.signalName)'", bytes)
            case .continueAsNewWorkflowExecutionCommandAttributes(let next):
                guard let bytes = next.input?.bytes.count, bytes > mostPayloadBytes else { continue }
                return tooLarge("the input of the next run", bytes)
            default: continue
            }
        }
        return nil
    }

    static func tooLarge(_ bytes: Int, _ commands: Int) -> ApplicationError {
        ApplicationError(
            "the workflow's \(commands) commands have \(bytes) bytes in total; the limit for a request is "
                + "\(mostRequestBytes): issue some of them later, or pass references to large values",
            type: "RequestTooLarge",
            isNonRetryable: true
        )
    }

    static func tooLarge(_ what: String, _ bytes: Int) -> ApplicationError {
        ApplicationError(
            "\(what) has \(bytes) bytes; the limit for a value is \(mostPayloadBytes): "
                + "store it elsewhere and pass a reference",
            type: "PayloadTooLarge",
            isNonRetryable: true
        )
    }
}
