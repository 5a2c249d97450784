internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    mutating func applyUpdateAccepted(_ attributes: WorkflowExecutionUpdateAcceptedEventAttributes, eventID: Int64) {
        durable.updates[ExactText(attributes.protocolInstanceID)] = .accepted(eventID: eventID)
        forgetUpdates([attributes.protocolInstanceID])
    }

    mutating func applyUpdateCompleted(_ attributes: WorkflowExecutionUpdateCompletedEventAttributes, eventID: Int64) {
        let id = ExactText(attributes.meta?.updateID ?? "")
        durable.updates[id] = nil
        durable.completedUpdates[id] = eventID
    }

    /// The event itself takes the request to the worker.
    mutating func applyUpdateAdmitted(_ attributes: WorkflowExecutionUpdateAdmittedEventAttributes, eventID: Int64) {
        let id = attributes.request?.meta?.updateID ?? ""
        durable.updates[ExactText(id)] = .admitted(eventID: eventID)
        forgetUpdates([id])
    }

    /// Removes updates that need not be sent to a worker any more.
    mutating func forgetUpdates(_ ids: [String]) {
        guard !volatile.updates.isEmpty else { return }
        volatile.updates.removeAll { update in ids.contains { $0.hasSameBytes(as: update.id) } }
    }
}
