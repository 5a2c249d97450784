/// How a workflow is started.
public struct WorkflowOptions: Sendable {
    /// What happens when a workflow of the same id has ended.
    public enum ReusePolicy: Sendable, Hashable {
        /// It may run again.
        case allowDuplicate
        /// It may run again when it did not complete.
        case allowDuplicateIfFailed
        /// It may not.
        case rejectDuplicate
    }

    /// What happens when a workflow of the same id is running.
    public enum ConflictPolicy: Sendable, Hashable {
        /// The start is refused.
        case fail
        /// The running one is taken.
        case useExisting
        /// The running one is terminated, and this one started.
        case terminateExisting
    }

    /// The workflow's id. Choose one that comes from your business: it is what makes a start happen once.
    public var id: String
    /// Whose workers run it; nil: those of the type's task queue.
    public var taskQueue: String?
    /// What happens when a workflow of the same id has ended.
    public var reusePolicy: ReusePolicy = .allowDuplicate
    /// What happens when a workflow of the same id is running.
    public var conflictPolicy: ConflictPolicy = .fail
    /// How long it may take, with all its retries; nil: as long as it takes.
    public var executionTimeout: Duration?
    /// How long one run may take; nil: as long as it takes.
    public var runTimeout: Duration?
    /// How long a worker may take for a workflow task. Temporal's default: 10 s.
    public var taskTimeout: Duration?
    /// How it is tried again as a whole when it fails; nil: it is not.
    public var retryPolicy: RetryPolicy?
    /// How long it waits before it begins.
    public var startDelay: Duration?

    /// Options with the workflow's id.
    public init(id: String) { self.id = id }
}
