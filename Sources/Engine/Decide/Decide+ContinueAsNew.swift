internal import SagamoreAPI
internal import SagamoreProtobuf

/// The command that ends a run and lets another one of the same workflow follow it.
extension Execution {
    func continueAsNew(
        _ attributes: ContinueAsNewWorkflowExecutionCommandAttributes,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        if let unhandled = unhandled(draft) { return unhandled }
        var type = attributes.workflowType?.name ?? ""
        if type.isEmpty { type = durable.workflowType }
        var queue = TaskQueue()
        queue.name = attributes.taskQueue?.name ?? ""
        if queue.name.isEmpty { queue.name = durable.taskQueue }
        queue.kind = .normal
        if let refusal = refusal(of: attributes, type: type, queue: queue.name, context) { return refusal }
        guard let runID = context.successorID else {
            preconditionFailure("the next run of a chain has no id")
        }
        let request = request(continuing: attributes, type, queue, context.completion.attributes)
        var event = WorkflowExecutionContinuedAsNewEventAttributes()
        event.newExecutionRunID = runID.description
        event.workflowType = request.workflowType
        event.taskQueue = queue
        event.input = attributes.input
        event.workflowRunTimeout = request.workflowRunTimeout
        event.workflowTaskTimeout = request.workflowTaskTimeout
        event.workflowTaskCompletedEventID = context.completedEventID
        event.backoffStartInterval = attributes.backoffStartInterval
        event.initiator = attributes.initiator
        event.failure = attributes.failure
        event.lastCompletionResult = attributes.lastCompletionResult
        event.header = attributes.header
        event.memo = attributes.memo
        event.searchAttributes = request.searchAttributes
        event.inheritBuildID = attributes.inheritBuildID
        event.initialVersioningBehavior = attributes.initialVersioningBehavior
        draft.event(.workflowExecutionContinuedAsNew, .workflowExecutionContinuedAsNewEventAttributes(event))

        var lineage = Lineage()
        lineage.initiator = attributes.initiator == .unspecified ? .workflow : attributes.initiator
        lineage.attempt = attributes.initiator == .retry ? durable.attempt + 1 : 1
        lineage.lastFailure = attributes.failure
        lineage.lastCompletionResult = attributes.lastCompletionResult
        let backoff = Interval(attributes.backoffStartInterval)
        succeed(as: runID, request, lineage, after: backoff, limits: context.limits, in: &draft)
        return nil
    }

    /// The next run's start as far as the command decides it.
    private func request(
        continuing attributes: ContinueAsNewWorkflowExecutionCommandAttributes,
        _ type: String,
        _ queue: TaskQueue,
        _ catalog: SearchAttributeCatalog?
    ) -> StartWorkflowExecutionRequest {
        var request = StartWorkflowExecutionRequest()
        var workflowType = WorkflowType()
        workflowType.name = type
        request.workflowType = workflowType
        request.taskQueue = queue
        request.input = attributes.input
        request.header = attributes.header
        request.memo = attributes.memo
        request.searchAttributes = attributes.searchAttributes.map { catalog?.typed($0) ?? $0 }
        request.retryPolicy = attributes.retryPolicy.map(RetryRules.withDefaults)
        request.cronSchedule = attributes.cronSchedule
        var runTimeout = Interval(attributes.workflowRunTimeout)
        if !runTimeout.isSet { runTimeout = durable.runTimeout }
        runTimeout = runTimeout.capped(by: durable.executionTimeout)
        request.workflowRunTimeout = runTimeout.duration
        var taskTimeout = Interval(attributes.workflowTaskTimeout)
        if !taskTimeout.isSet { taskTimeout = durable.taskTimeout }
        request.workflowTaskTimeout = min(taskTimeout, maximumTaskTimeout).capped(by: runTimeout).duration
        return request
    }

    private func refusal(
        of attributes: ContinueAsNewWorkflowExecutionCommandAttributes,
        type: String,
        queue: String,
        _ context: CommandContext
    ) -> CommandRefusal? {
        let limits = context.limits
        if let wrong = problem(with: attributes, type: type, queue: queue, limits) {
            return CommandRefusal(.badContinueAsNewAttributes, wrong)
        }
        if attributes.searchAttributes != nil,
            let wrong = searchAttributeProblem(attributes.searchAttributes, context)
        {
            let explanation = "invalid SearchAttributes on \(commandName): \(wrong.text). \(names(type, queue))"
            return CommandRefusal(.badSearchAttributes, explanation)
        }
        if let input = attributes.input, input.bytes.count > limits.payloadBytes {
            return tooLarge("ContinueAsNewWorkflowExecutionCommandAttributes. Input", .badContinueAsNewAttributes)
        }
        if let memo = attributes.memo, memo.bytes.count > limits.payloadBytes {
            return tooLarge("ContinueAsNewWorkflowExecutionCommandAttributes. Memo", .badContinueAsNewAttributes)
        }
        return nil
    }

    /// What is wrong with the command, in Temporal's words.
    private func problem(
        with attributes: ContinueAsNewWorkflowExecutionCommandAttributes,
        type: String,
        queue: String,
        _ limits: Limits
    ) -> String? {
        if let wrong = SagamoreEngine.problem(withIdentifier: type, "WorkflowType", of: commandName, limits) {
            return wrong
        }
        if let wrong = problem(withQueue: queue, limits) {
            return "error validating \(commandName) TaskQueue: \(wrong). \(names(type, queue))"
        }
        let timeouts = [
            ("WorkflowRunTimeout", attributes.workflowRunTimeout),
            ("WorkflowTaskTimeout", attributes.workflowTaskTimeout),
            ("BackoffStartInterval", attributes.backoffStartInterval),
        ]
        for (field, duration) in timeouts {
            if let duration, duration.seconds < 0 || duration.nanos < 0 {
                return "Invalid \(field) on \(commandName): negative duration. \(names(type, queue))"
            }
        }
        if let policy = attributes.retryPolicy, let wrong = RetryRules.problem(policy) {
            return "invalid WorkflowRetryPolicy on \(commandName): \(wrong). \(names(type, queue))"
        }
        return nil
    }

    private func problem(withQueue name: String, _ limits: Limits) -> String? {
        if name.utf8.count > limits.identifierLength {
            return "taskQueue length exceeds limit"
        }
        if name.holdsNUL { return "task queue name must not contain NUL" }
        if name.hasPrefix(reservedQueuePrefix) {
            return "task queue name cannot start with reserved prefix \(reservedQueuePrefix)"
        }
        return nil
    }

    /// The names that end a message, the queue's as its message prints.
    private func names(_ type: String, _ queue: String) -> String {
        let queue = "name:\"\(prefix(of: queue, bytes: 1_500))\"  kind:TASK_QUEUE_KIND_NORMAL"
        return "WorkflowType=\(prefix(of: type, bytes: 1_500)) TaskQueue=\(queue)"
    }
}

private let commandName = "ContinueAsNewWorkflowExecutionCommand"
