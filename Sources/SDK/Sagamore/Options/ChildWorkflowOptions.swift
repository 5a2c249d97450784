/// Options of a child workflow.
public struct ChildWorkflowOptions: Sendable, Hashable {
    /// How long the caller of a cancelled child waits. The cases mean the same as for an activity.
    public typealias CancellationType = ActivityOptions.CancellationType

    /// What happens to a child when its parent closes before it.
    public enum ParentClosePolicy: Sendable, Hashable {
        /// It is terminated.
        case terminate
        /// It is asked to cancel.
        case requestCancel
        /// It continues.
        case abandon
    }

    /// The child's workflow id; nil means a new one, the same in every replay.
    public var id: String?
    /// The namespace of the child; nil means the parent's.
    public var namespace: String?
    /// The task queue of the workers that run it; nil means the type's.
    public var taskQueue: String?
    /// What the start does when a workflow with the same id has ended.
    public var reusePolicy = WorkflowOptions.ReusePolicy.allowDuplicate
    /// What happens to the child when its parent closes before it.
    public var parentClosePolicy = ParentClosePolicy.terminate
    /// The limit for the child with all its retries; nil means no limit.
    public var executionTimeout: Duration?
    /// The limit for one run; nil means no limit.
    public var runTimeout: Duration?
    /// The limit for one workflow task. Temporal's default: 10 s.
    public var taskTimeout: Duration?
    /// The retry policy of the whole child; nil means no retries.
    public var retryPolicy: RetryPolicy?
    /// When the child is repeated, as five fields of cron; empty means never.
    public var cronSchedule = ""
    /// How long the caller of a cancelled child waits.
    public var cancellationType = CancellationType.waitCancellationCompleted

    /// Options with the child's workflow id.
    public init(id: String? = nil) { self.id = id }
}
