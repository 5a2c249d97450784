/// What a schedule wants done.
public enum ScheduleDemand: Equatable, Sendable {
    /// Start a workflow, or find the run that the same start has begun before.
    case start(PendingStart)
    /// Ask a run to cancel.
    case cancel(TrackedRun)
    /// End a run.
    case terminate(TrackedRun)
}
