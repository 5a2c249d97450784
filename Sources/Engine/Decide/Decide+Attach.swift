internal import SagamoreAPI
internal import SagamoreProtobuf

/// Starts that use a run which is open, and leave something there.
extension Execution {
    /// Attaches what the start's options for a conflict say: its request id, its links.
    public func decide(attaching start: StartRequest, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning, let options = start.request.onConflictOptions else { return draft.decision }
        var attributes = WorkflowExecutionOptionsUpdatedEventAttributes()
        if options.attachRequestID { attributes.attachedRequestID = start.request.requestID }
        draft.outside(
            self,
            .workflowExecutionOptionsUpdated,
            .workflowExecutionOptionsUpdatedEventAttributes(attributes),
            links: options.attachLinks ? start.request.links : [],
            workerMayIgnore: true
        )
        return draft.decision
    }

    mutating func applyOptionsUpdated(_ attributes: WorkflowExecutionOptionsUpdatedEventAttributes, eventID: Int64) {
        // A priority that is taken away stays, as in Temporal.
        if let priority = attributes.priority { durable.priority = priority }
        guard !attributes.attachedRequestID.isEmpty else { return }
        durable.attachedRequestIDs[ExactText(attributes.attachedRequestID)] = eventID
    }
}
