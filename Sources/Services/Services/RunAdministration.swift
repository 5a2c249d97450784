public import SagamoreEngine

/// What administrators do to runs, as a part of the service that owns executions. Each reply is sent after what it
/// reports is committed.
public protocol RunAdministration: Sendable {
    /// Deletes a run. It is gone from reads when the reply is sent. One that is open is terminated first.
    func delete(_ workflow: WorkflowReference, reply: Reply<Void>)
}

/// For a service that offers none of this.
extension RunAdministration {
    /// Refuses.
    public func delete(_ workflow: WorkflowReference, reply: Reply<Void>) { reply.fail(.notOffered) }
}

extension RequestError {
    fileprivate static let notOffered = RequestError(.unimplemented, "this service does not administer runs")
}
