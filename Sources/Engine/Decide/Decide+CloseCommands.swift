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
        draft.event(.workflowExecutionCompleted, .workflowExecutionCompletedEventAttributes(event))
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
        draft.event(.workflowExecutionFailed, .workflowExecutionFailedEventAttributes(event))
        let isRolledBack = durable.origin != nil && applicationType(of: failure) == "SagaCompensated"
        closed(isRolledBack ? .compensated : .failed, in: &draft) { $0.failure = failure }
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

    private func unhandled(_ draft: Draft) -> CommandRefusal? {
        hasBufferedEvents(besides: draft) ? CommandRefusal(.unhandledCommand) : nil
    }

    private func applicationType(of failure: RawMessage<Failure>) -> String? {
        guard let decoded = try? failure.decoded(), case .applicationFailureInfo(let info) = decoded.failureInfo else {
            return nil
        }
        return info.type
    }
}
