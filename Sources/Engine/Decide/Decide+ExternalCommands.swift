internal import SagamoreAPI
internal import SagamoreProtobuf

/// The commands that send signals and cancel requests to other workflows.
extension Execution {
    func signalExternal(
        _ attributes: SignalExternalWorkflowExecutionCommandAttributes,
        _ metadata: RawMessage<UserMetadata>?,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let cause = WorkflowTaskFailedCause.badSignalWorkflowExecutionAttributes
        guard let namespace = context.completion.namespace else { return CommandRefusal(cause, unknownNamespace) }
        if let problem = crossNamespaceProblem(attributes.namespace, namespace) {
            return CommandRefusal(cause, problem)
        }
        if let problem = problem(with: attributes, context.limits) { return CommandRefusal(cause, problem) }
        if let input = attributes.input, input.bytes.count > context.limits.payloadBytes {
            return tooLarge("SignalExternalWorkflowExecutionCommandAttributes.Input", cause)
        }
        if let refusal = pendingLimit(
            durable.signals.count + draft.addedSignals,
            context.limits.pendingExternalSignals,
            of: "signals to external workflows",
            .pendingSignalsLimitExceeded
        ) {
            return refusal
        }
        var event = SignalExternalWorkflowExecutionInitiatedEventAttributes()
        event.workflowTaskCompletedEventID = context.completedEventID
        event.namespace = attributes.namespace
        event.namespaceID = namespace.id
        event.workflowExecution = attributes.execution
        event.signalName = attributes.signalName
        event.input = attributes.input
        event.control = attributes.control
        event.childWorkflowOnly = attributes.childWorkflowOnly
        event.header = attributes.header
        let written = draft.event(
            .signalExternalWorkflowExecutionInitiated,
            .signalExternalWorkflowExecutionInitiatedEventAttributes(event),
            userMetadata: metadata
        )
        draft.addedSignals += 1
        draft.decision.debts.append(written.id)
        return nil
    }

    func cancelExternal(
        _ attributes: RequestCancelExternalWorkflowExecutionCommandAttributes,
        _ metadata: RawMessage<UserMetadata>?,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let cause = WorkflowTaskFailedCause.badRequestCancelExternalWorkflowExecutionAttributes
        guard let namespace = context.completion.namespace else { return CommandRefusal(cause, unknownNamespace) }
        if let problem = crossNamespaceProblem(attributes.namespace, namespace) {
            return CommandRefusal(cause, problem)
        }
        if let problem = problem(with: attributes, context.limits) { return CommandRefusal(cause, problem) }
        if let refusal = pendingLimit(
            durable.cancels.count + draft.addedCancels,
            context.limits.pendingExternalCancels,
            of: "requests to cancel external workflows",
            .pendingRequestCancelLimitExceeded
        ) {
            return refusal
        }
        var event = RequestCancelExternalWorkflowExecutionInitiatedEventAttributes()
        event.workflowTaskCompletedEventID = context.completedEventID
        event.namespace = attributes.namespace
        event.namespaceID = namespace.id
        var execution = WorkflowExecution()
        execution.workflowID = attributes.workflowID
        execution.runID = attributes.runID
        event.workflowExecution = execution
        event.control = attributes.control
        event.childWorkflowOnly = attributes.childWorkflowOnly
        event.reason = attributes.reason
        let written = draft.event(
            .requestCancelExternalWorkflowExecutionInitiated,
            .requestCancelExternalWorkflowExecutionInitiatedEventAttributes(event),
            userMetadata: metadata
        )
        draft.addedCancels += 1
        draft.decision.debts.append(written.id)
        return nil
    }

    private func problem(
        with attributes: SignalExternalWorkflowExecutionCommandAttributes,
        _ limits: Limits
    ) -> String? {
        let command = "SignalExternalWorkflowExecutionCommand"
        guard let execution = attributes.execution else { return "Execution is not set on \(command)." }
        let (id, runID, name) = (execution.workflowID, execution.runID, attributes.signalName)
        let inNamespace = "Namespace=\(attributes.namespace)"
        if id.isEmpty {
            return "WorkflowId is not set on \(command). \(inNamespace) RunId=\(runID) SignalName=\(name)"
        }
        if let wrong = SagamoreEngine.problem(withIdentifier: id, "WorkflowId", of: command, limits) {
            return "\(wrong) \(inNamespace) RunId=\(runID) SignalName=\(name)"
        }
        if !runID.isEmpty, RunID(runID) == nil {
            return "Invalid RunId set on \(command). WorkflowId=\(id) \(inNamespace) RunId=\(runID) SignalName=\(name)"
        }
        if name.isEmpty {
            return "SignalName is not set on \(command). WorkflowId=\(id) \(inNamespace) RunId=\(runID)"
        }
        return name.holdsNUL ? "SignalName must not contain NUL." : nil
    }

    private func problem(
        with attributes: RequestCancelExternalWorkflowExecutionCommandAttributes,
        _ limits: Limits
    ) -> String? {
        let command = "RequestCancelExternalWorkflowExecutionCommand"
        let (id, runID) = (attributes.workflowID, attributes.runID)
        let inNamespace = "Namespace=\(attributes.namespace)"
        if id.isEmpty { return "WorkflowId is not set on \(command). \(inNamespace) RunId=\(runID)" }
        if let wrong = SagamoreEngine.problem(withIdentifier: id, "WorkflowId", of: command, limits) {
            return "\(wrong) RunId=\(runID) \(inNamespace)"
        }
        if !runID.isEmpty, RunID(runID) == nil {
            return "Invalid RunId set on \(command). WorkflowId=\(id) RunId=\(runID) \(inNamespace)"
        }
        return nil
    }
}
