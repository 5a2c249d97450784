internal import SagamoreAPI
internal import SagamoreProtobuf

/// The commands that end a run. They are not carried out while there are events that workflow code has not seen.
extension Execution {
    func complete(
        _ attributes: CompleteWorkflowExecutionCommandAttributes,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        if let unhandled = unhandled(draft) { return unhandled }
        if let result = attributes.result, result.bytes.count > context.limits.payloadBytes {
            return tooLarge("CompleteWorkflowExecutionCommandAttributes.Result")
        }
        var event = WorkflowExecutionCompletedEventAttributes()
        event.result = attributes.result
        event.workflowTaskCompletedEventID = context.completedEventID
        var sequel = nextOfSchedule(at: draft.now, context.limits)
        if sequel != nil { event.newExecutionRunID = context.successorID?.description ?? "" }
        draft.event(.workflowExecutionCompleted, .workflowExecutionCompletedEventAttributes(event))
        sequel?.lastCompletionResult = attributes.result
        if let sequel {
            follow(sequel, as: context.successorID, context.limits, in: &draft)
            return nil
        }
        closed(.passed, in: &draft) { $0.result = attributes.result }
        return nil
    }

    func fail(
        _ attributes: FailWorkflowExecutionCommandAttributes,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        if let unhandled = unhandled(draft) { return unhandled }
        guard let failure = attributes.failure else {
            return CommandRefusal(
                .badFailWorkflowExecutionAttributes,
                "Failure is not set on FailWorkflowExecutionCommand."
            )
        }
        if failure.bytes.count > context.limits.payloadBytes {
            return tooLarge("FailWorkflowExecutionCommandAttributes.Failure", .badFailWorkflowExecutionAttributes)
        }
        var event = WorkflowExecutionFailedEventAttributes()
        event.failure = failure
        event.retryState = .retryPolicyNotSet
        event.workflowTaskCompletedEventID = context.completedEventID
        if durable.recurrence != nil {
            let outcome = sequel(after: (try? failure.decoded()) ?? Failure(), at: draft.now, context.limits)
            event.retryState = outcome.state
            if let sequel = outcome.sequel { return follow(sequel, behind: event, context, in: &draft) }
        }
        draft.event(.workflowExecutionFailed, .workflowExecutionFailedEventAttributes(event))
        let type = applicationType(of: failure)
        let isRolledBack = durable.origin != nil && type == "SagaCompensated"
        switch type {
        case "SagaCompensated": draft.decision.compensation = .complete
        case "SagaCompensationFailed": draft.decision.compensation = .failed
        default: break
        }
        closed(isRolledBack ? .compensated : .failed, in: &draft) { $0.failure = failure }
        return nil
    }

    /// Writes the failure of a run that another one follows.
    private func follow(
        _ sequel: Sequel,
        behind event: WorkflowExecutionFailedEventAttributes,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        var (sequel, event) = (sequel, event)
        event.newExecutionRunID = context.successorID?.description ?? ""
        draft.event(.workflowExecutionFailed, .workflowExecutionFailedEventAttributes(event))
        sequel.failure = event.failure
        // A retry does not get the last result of its schedule, as in Temporal.
        if sequel.initiator == .cronSchedule {
            sequel.lastCompletionResult = durable.recurrence?.started.lastCompletionResult
        }
        follow(sequel, as: context.successorID, context.limits, in: &draft)
        return nil
    }

    func cancel(
        _ attributes: CancelWorkflowExecutionCommandAttributes,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        if let unhandled = unhandled(draft) { return unhandled }
        if let details = attributes.details, details.bytes.count > context.limits.payloadBytes {
            return tooLarge("CancelWorkflowExecutionCommandAttributes.Details")
        }
        var event = WorkflowExecutionCanceledEventAttributes()
        event.workflowTaskCompletedEventID = context.completedEventID
        event.details = attributes.details
        draft.event(.workflowExecutionCanceled, .workflowExecutionCanceledEventAttributes(event))
        closed(.cancelled, in: &draft) { $0.details = attributes.details }
        return nil
    }

    func unhandled(_ draft: Draft) -> CommandRefusal? {
        hasBufferedEvents(besides: draft) ? CommandRefusal(.unhandledCommand) : nil
    }

    private func applicationType(of failure: RawMessage<Failure>) -> String? {
        guard let decoded = try? failure.decoded(), case .applicationFailureInfo(let info) = decoded.failureInfo else {
            return nil
        }
        return info.type
    }
}
