/// The workflow task that is due, durable part. Whether a worker has it is volatile: `StartedWorkflowTask`.
public struct WorkflowTask: Equatable, Sendable {
    /// The id of its WorkflowTaskScheduled event; 0 for a later attempt, which has none (yet).
    public var scheduledEventID: Int64
    /// The number of the attempt, from 1. Only the first attempt is written to the history.
    public var attempt: Int32
    /// When the task became due.
    public var scheduledAt: Instant
    /// The sticky queue it was scheduled on; empty for the normal one.
    public var stickyQueue: String

    /// The newest event when a later attempt became due: events that came since make it a first attempt again.
    public var afterEventID: Int64

    /// A later attempt of a failed task: nothing of it is in the history until it completes.
    public var isTransient: Bool { scheduledEventID == 0 }
}

/// A workflow task in a worker's hands. Lost in a crash: then the scheduled task is due again.
public struct StartedWorkflowTask: Sendable {
    /// The id of the task's WorkflowTaskScheduled.
    public let scheduledEventID: Int64
    /// The id that the task's WorkflowTaskStarted gets when it is written.
    public let startedEventID: Int64
    /// The number of the attempt, from 1.
    public let attempt: Int32
    /// When the task became due.
    public let scheduledAt: Instant
    /// When the worker took it.
    public let startedAt: Instant
    /// The worker that holds it.
    public let identity: String
    /// The id of the poll that took it, so that a repeated poll gets the same answer.
    public let requestID: String
    /// The build of the worker's code, where it tells.
    public let buildID: String
    /// What its token carries, so that a token from before is refused.
    public let nonce: UInt64
    /// The owner's epoch when the worker took it.
    public let epoch: Int64
    /// The size of the history that the worker was given, in bytes.
    public let historyBytes: Int64
    /// Whether the history is long enough that the workflow should continue as new.
    public let suggestsContinueAsNew: Bool
    /// The attempt has no WorkflowTaskScheduled event in the history: it is written with the completion.
    public let isTransient: Bool
    /// The task queue that any worker polls, as opposed to the sticky one.
    public let normalQueue: String
    /// How long the worker may hold the task.
    public let timeout: Interval
}
