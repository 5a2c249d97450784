public import SagamoreEngine

/// The service that owns the other side of what a workflow sends: to its children, its parent, or any other workflow.
/// Each reply is sent after its contents are committed.
public protocol DebtRecipient: Sendable {
    /// Starts a workflow, or returns the run that the same request has started before.
    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>)
    /// Signals a run. The reply is the run's id.
    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>)
    /// Requests cancellation of a run.
    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>)
    /// Ends a run at once.
    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>)
    /// Tells a run how its child has ended. Also succeeds when that run does not wait for the child.
    func reportChildEnd(_ parent: WorkflowReference, _ end: ChildEnd, reply: Reply<Void>)
}

/// The service that owns the schedules.
public protocol ScheduledRunListener: Sendable {
    /// Tells a schedule of a namespace how a run that it started has ended. The reply is sent when that is committed,
    /// and when there is no such schedule any more.
    func ended(_ end: ScheduledRunEnd, namespace: Int32, reply: Reply<Void>)
}
