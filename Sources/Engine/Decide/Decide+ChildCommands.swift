internal import SagamoreAPI
internal import SagamoreProtobuf

/// The command that starts a child.
extension Execution {
    func startChild(
        _ attributes: StartChildWorkflowExecutionCommandAttributes,
        _ metadata: RawMessage<UserMetadata>?,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let cause = WorkflowTaskFailedCause.badStartChildExecutionAttributes
        guard let namespace = context.completion.namespace else { return CommandRefusal(cause, unknownNamespace) }
        if let problem = crossNamespaceProblem(attributes.namespace, namespace) {
            return CommandRefusal(cause, problem)
        }
        if let problem = problem(with: attributes, namespace, context.limits) { return CommandRefusal(cause, problem) }
        if let given = attributes.searchAttributes, (try? given.decoded().indexedFields.isEmpty) == false,
            let wrong = searchAttributeProblem(given, context)
        {
            let about =
                "WorkflowId=\(attributes.workflowID) WorkflowType=\(attributes.workflowType?.name ?? "")"
                + " Namespace=\(namespace.name)"
            return CommandRefusal(
                .badSearchAttributes,
                "invalid SearchAttributes on StartChildWorkflowCommand: \(wrong.text). \(about)"
            )
        }
        if let input = attributes.input, input.bytes.count > context.limits.payloadBytes {
            return tooLarge("StartChildWorkflowExecutionCommandAttributes. Input", cause)
        }
        if let memo = attributes.memo, memo.bytes.count > context.limits.payloadBytes {
            return tooLarge("StartChildWorkflowExecutionCommandAttributes. Memo", cause)
        }
        if let refusal = pendingLimit(
            durable.children.count + draft.addedChildren,
            context.limits.pendingChildren,
            of: "child workflow executions",
            .pendingChildWorkflowsLimitExceeded
        ) {
            return refusal
        }
        if undoesStep(attributes.header) { draft.decision.undoes = true }
        draft.decision.step = attributes.workflowType?.name
        let event = initiatedAttributes(attributes, namespace, context)
        do throws(RequestError) {
            // What this version cannot start is refused here, and not in a loop of deliveries.
            _ = try childStart(event, metadata, initiatedEventID: draft.nextEventID, from: namespace, context.limits)
        } catch {
            return CommandRefusal(cause, error.message)
        }
        let written = draft.event(
            .startChildWorkflowExecutionInitiated,
            .startChildWorkflowExecutionInitiatedEventAttributes(event),
            userMetadata: metadata
        )
        draft.addedChildren += 1
        draft.decision.debts.append(written.id)
        return nil
    }

    /// The event of a command. Unset options get their defaults; nothing of the parent's timeouts is inherited.
    private func initiatedAttributes(
        _ command: StartChildWorkflowExecutionCommandAttributes,
        _ namespace: NamespaceName,
        _ context: CommandContext
    ) -> StartChildWorkflowExecutionInitiatedEventAttributes {
        var event = StartChildWorkflowExecutionInitiatedEventAttributes()
        event.namespace = namespace.name
        event.namespaceID = namespace.id
        event.workflowID = command.workflowID
        event.workflowType = command.workflowType
        var queue = TaskQueue()
        let name = command.taskQueue?.name ?? ""
        queue.name = name.isEmpty ? durable.taskQueue : name
        queue.kind = .normal
        event.taskQueue = queue
        event.input = command.input
        let runTimeout = Interval(command.workflowRunTimeout).capped(by: Interval(command.workflowExecutionTimeout))
        event.workflowExecutionTimeout = command.workflowExecutionTimeout
        event.workflowRunTimeout = runTimeout.duration
        let taskTimeout = Interval.startedTaskTimeout(Interval(command.workflowTaskTimeout), runTimeout: runTimeout)
        event.workflowTaskTimeout = taskTimeout.duration
        event.parentClosePolicy = command.parentClosePolicy == .unspecified ? .terminate : command.parentClosePolicy
        event.control = command.control
        event.workflowTaskCompletedEventID = context.completedEventID
        event.workflowIDReusePolicy =
            command.workflowIDReusePolicy == .unspecified ? .allowDuplicate : command.workflowIDReusePolicy
        event.retryPolicy = command.retryPolicy.map(RetryRules.withDefaults)
        event.cronSchedule = command.cronSchedule
        event.header = command.header
        event.memo = command.memo
        event.searchAttributes = command.searchAttributes.map { context.completion.attributes?.typed($0) ?? $0 }
        event.inheritBuildID = command.inheritBuildID
        event.priority = command.priority
        event.versioningOverride = command.versioningOverride
        return event
    }

    private func problem(
        with attributes: StartChildWorkflowExecutionCommandAttributes,
        _ namespace: NamespaceName,
        _ limits: Limits
    ) -> String? {
        let command = "StartChildWorkflowExecutionCommand"
        let (id, type) = (attributes.workflowID, attributes.workflowType?.name ?? "")
        let inNamespace = "Namespace=\(namespace.name)"
        if id.isEmpty {
            return "Required field WorkflowId is not set on \(command). WorkflowType=\(type) \(inNamespace)"
        }
        if type.isEmpty {
            return "Required field WorkflowType is not set on \(command). WorkflowId=\(id) \(inNamespace)"
        }
        if let wrong = SagamoreEngine.problem(withIdentifier: id, "WorkflowId", of: command, limits) {
            return "\(wrong) WorkflowType=\(type) \(inNamespace)"
        }
        if type.utf8.count > limits.identifierLength {
            return "WorkflowType on \(command) exceeds length limit. WorkflowId=\(id) "
                + "WorkflowType=\(prefix(of: type, bytes: 1_500)) "
                + "Length=\(type.utf8.count) Limit=\(limits.identifierLength) \(inNamespace)"
        }
        let context = "WorkflowId=\(id) WorkflowType=\(type) \(inNamespace)"
        for (duration, field) in [
            (attributes.workflowExecutionTimeout, "WorkflowExecutionTimeout"),
            (attributes.workflowRunTimeout, "WorkflowRunTimeout"),
            (attributes.workflowTaskTimeout, "WorkflowTaskTimeout"),
        ] {
            if let duration, duration.seconds < 0 || duration.nanos < 0 {
                return "Invalid \(field) on \(command): negative duration. \(context)"
            }
        }
        if let wrong = attributes.retryPolicy.flatMap(RetryRules.problem) {
            return "invalid WorkflowRetryPolicy on \(command): \(wrong). \(context)"
        }
        guard let queue = attributes.taskQueue, !queue.name.isEmpty else { return nil }
        do throws(RequestError) {
            try checkTaskQueue(queue, limits)
            return nil
        } catch {
            return "invalid TaskQueue on \(command): \(error.message). \(context) "
                + "TaskQueue=name:\"\(queue.name)\"  kind:TASK_QUEUE_KIND_NORMAL"
        }
    }
}

/// The refusal of a command of which there would be too many pending; nil if there is room.
func pendingLimit(
    _ pending: Int,
    _ limit: Int,
    of what: String,
    _ cause: WorkflowTaskFailedCause
) -> CommandRefusal? {
    guard pending >= limit else { return nil }
    let message = "the number of pending \(what), \(pending), has reached the per-workflow limit of \(limit)"
    return CommandRefusal(cause, message)
}

/// What is wrong with the namespace that a command names; nil when it is the run's own.
func crossNamespaceProblem(_ named: String, _ own: NamespaceName) -> String? {
    named.isEmpty || named.hasSameBytes(as: own.name) ? nil : "cross namespace commands are not allowed"
}

/// The explanation where the namespace of the run itself cannot be named.
let unknownNamespace = "the namespace of the workflow is not known"
