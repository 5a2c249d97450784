internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// What a batch does to one run.
struct BatchStep {
    let action: BatchAction
    let job: BatchJob
    let history: any HistoryClient
    let limits: Limits
    let clock: @Sendable () -> Instant

    private static let patience = Duration.seconds(60)

    private var reason: String { job.request.reason }

    /// A run that is gone, or has closed, needs nothing any more, unless it is to be reset.
    ///
    /// - Throws: why it was not done.
    func perform(on target: WorkflowReference) throws(RequestError) {
        do throws(RequestError) {
            try act(on: target)
        } catch {
            if case .reset = action { throw error }
            guard error.code == .notFound else { throw error }
        }
    }

    private func act(on target: WorkflowReference) throws(RequestError) {
        let identity = job.identity
        switch action {
        case .terminate(let details):
            let request = TerminateRequest(reason: reason, details: details, identity: identity)
            try wait { history.terminate(target, request, reply: $0) }
        case .cancel:
            let request = CancelRequest(reason: reason, identity: identity, requestID: requestID(target))
            try wait { history.cancel(target, request, reply: $0) }
        case .delete: try wait { history.delete(target, reply: $0) }
        case .signal(let signal):
            let request = try SignalRequest(
                name: signal.signal,
                input: signal.input,
                header: signal.header,
                identity: identity,
                requestID: requestID(target),
                limits: limits
            )
            _ = try answer { (reply: Reply<RunID>) in history.signal(target, request, reply: reply) }
        case .reset(let options, let operations): try reset(target, options, operations)
        case .updateOptions(let change):
            let request = try ExecutionOptionsRequest(
                change.workflowExecutionOptions,
                paths: change.updateMask?.paths ?? [],
                identity: identity,
                limits: limits
            )
            _ = try answer { (reply: Reply<WorkflowExecutionOptions>) in
                history.updateOptions(target, request, reply: reply)
            }
        case .operate(let operation, let selection):
            _ = try answer { (reply: Reply<ActivityOptions?>) in
                history.operate(operation, on: selection, of: target, identity: identity, reply: reply)
            }
        }
    }

    /// The same for the same run, so that a request that is repeated has no further effect.
    private func requestID(_ target: WorkflowReference) -> String {
        "batch \(job.id) \(target.runID?.description ?? target.key.workflowID)"
    }

    private func reset(
        _ target: WorkflowReference,
        _ options: ResetOptions,
        _ operations: [PostResetOperation]
    ) throws(RequestError) {
        var target = target
        var request = ResetWorkflowExecutionRequest()
        request.reason = reason
        request.requestID = requestID(target)
        request.identity = job.identity
        request.postResetOperations = operations
        request.resetReapplyType = options.resetReapplyType
        request.resetReapplyExcludeTypes = options.resetReapplyExcludeTypes
        switch options.target {
        case .workflowTaskID(let id): request.workflowTaskFinishEventID = id
        case .buildID(let id):
            let point = try beginning(of: id, in: target, onlyInRun: options.currentRunOnly)
            request.workflowTaskFinishEventID = point.firstWorkflowTaskCompletedID
            target = WorkflowReference(key: target.key, runID: RunID(point.runID))
        case .firstWorkflowTask: request.workflowTaskFinishEventID = try endOfWorkflowTask(target, isLast: false)
        default: request.workflowTaskFinishEventID = try endOfWorkflowTask(target, isLast: true)
        }
        let reset = try ResetRequest(request, limits: limits)
        _ = try answer { (reply: Reply<RunID>) in history.reset(target, reset, reply: reply) }
    }

    /// Where a build has begun to work on a chain, which may be in an earlier run.
    private func beginning(
        of build: String,
        in target: WorkflowReference,
        onlyInRun: Bool
    ) throws(RequestError) -> ResetPointInfo {
        let description = try answer { (reply: Reply<DescribeWorkflowExecutionResponse>) in
            history.describe(target, reply: reply)
        }
        let run = description.workflowExecutionInfo
        guard let point = run?.autoResetPoints?.points.first(where: { $0.buildID == build }) else {
            throw .invalidArgument("build \(build) has completed no workflow task of the run")
        }
        guard point.resettable else {
            throw .invalidArgument("other workflows had not answered the run when build \(build) began")
        }
        if onlyInRun, point.runID != run?.execution?.runID {
            throw .invalidArgument("build \(build) began in an earlier run")
        }
        return point
    }

    /// The event with which the first or the last workflow task of a run was completed; where none was, the one behind
    /// the task's schedule.
    private func endOfWorkflowTask(_ target: WorkflowReference, isLast: Bool) throws(RequestError) -> Int64 {
        var token: [UInt8] = []
        var scheduled: Int64?
        repeat {
            let read = HistoryRead(
                pageToken: token,
                pageSize: 1_000,
                waitsForNews: false,
                onlyCloseEvent: false,
                deadline: clock() + .seconds(30),
                isReversed: isLast
            )
            let page = try answer { (reply: Reply<HistoryPage>) in history.readHistory(target, read, reply: reply) }
            let events = (try? History(serializedBytes: page.frames).events) ?? []
            if let end = events.first(where: { $0.eventType == .workflowTaskCompleted }) { return end.eventID }
            scheduled = scheduled ?? events.first { $0.eventType == .workflowTaskScheduled }?.eventID
            token = page.nextPageToken
        } while !token.isEmpty
        guard let scheduled else { throw .invalidArgument("the run has no workflow task") }
        return scheduled + 1
    }

    private func wait(_ ask: (Reply<Void>) -> Void) throws(RequestError) {
        _ = try Answered<Void>.wait(atMost: Self.patience, ask)
    }

    private func answer<Answer: Sendable>(_ ask: (Reply<Answer>) -> Void) throws(RequestError) -> Answer {
        try Answered<Answer>.wait(atMost: Self.patience, ask)
    }
}
