public import SagamoreAPI
public import SagamoreEngine

/// What administrators do to runs, as a part of the service that owns executions. Each reply is sent after what it
/// reports is committed.
public protocol RunAdministration: Sendable {
    /// Deletes a run. It is gone from reads when the reply is sent. One that is open is terminated first.
    func delete(_ workflow: WorkflowReference, reply: Reply<Void>)
    /// Begins a run that repeats the history of another one up to a workflow task. The workflow's current run is
    /// terminated if it is open. The reply is the id of the new run, also for a request that is repeated.
    func reset(_ workflow: WorkflowReference, _ request: ResetRequest, reply: Reply<RunID>)
    /// Changes the options of an open run. The reply is what they are then.
    func updateOptions(
        _ workflow: WorkflowReference,
        _ request: ExecutionOptionsRequest,
        reply: Reply<WorkflowExecutionOptions>
    )
}

/// For a service that offers none of this.
extension RunAdministration {
    /// Refuses.
    public func delete(_ workflow: WorkflowReference, reply: Reply<Void>) { reply.fail(.notOffered) }

    /// Refuses.
    public func reset(_ workflow: WorkflowReference, _ request: ResetRequest, reply: Reply<RunID>) {
        reply.fail(.notOffered)
    }

    /// Refuses.
    public func updateOptions(
        _ workflow: WorkflowReference,
        _ request: ExecutionOptionsRequest,
        reply: Reply<WorkflowExecutionOptions>
    ) {
        reply.fail(.notOffered)
    }
}

extension RequestError {
    fileprivate static let notOffered = RequestError(.unimplemented, "this service does not administer runs")
}
