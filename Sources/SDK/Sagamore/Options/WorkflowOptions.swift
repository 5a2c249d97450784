/// Options for starting a workflow.
public struct WorkflowOptions: Sendable {
    /// What a start does when a workflow with the same id has ended.
    public enum ReusePolicy: Sendable, Hashable {
        /// It starts a new run.
        case allowDuplicate
        /// It starts a new run unless the last one completed.
        case allowDuplicateIfFailed
        /// It is rejected.
        case rejectDuplicate
    }

    /// What a start does when a workflow with the same id is running.
    public enum ConflictPolicy: Sendable, Hashable {
        /// It is rejected.
        case fail
        /// It returns the running one.
        case useExisting
        /// It terminates the running one and starts a new run.
        case terminateExisting
    }

    /// The workflow's id. Derive it from your business data: it makes a start idempotent.
    public var id: String
    /// The task queue of the workers that run it; nil means the type's.
    public var taskQueue: String?
    /// What a start does when a workflow with the same id has ended.
    public var reusePolicy: ReusePolicy = .allowDuplicate
    /// What a start does when a workflow with the same id is running.
    public var conflictPolicy: ConflictPolicy = .fail
    /// The limit for the workflow with all its retries; nil means no limit.
    public var executionTimeout: Duration?
    /// The limit for one run; nil means no limit.
    public var runTimeout: Duration?
    /// The limit for one workflow task. Temporal's default: 10 s.
    public var taskTimeout: Duration?
    /// The retry policy of the whole workflow; nil means no retries.
    public var retryPolicy: RetryPolicy?
    /// When the workflow is repeated, as five fields of cron or `@every 1h`; empty means never.
    public var cronSchedule = ""
    /// The delay before the workflow begins.
    public var startDelay: Duration?

    /// Options with the workflow's id.
    public init(id: String) { self.id = id }
}
