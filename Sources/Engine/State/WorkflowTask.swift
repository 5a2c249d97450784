/// The workflow task that is due, durable part. Whether a worker has it is volatile: `StartedWorkflowTask`.
public struct WorkflowTask: Equatable, Sendable {
    /// The id of its WorkflowTaskScheduled event; 0 for a later attempt, which has none (yet).
    public var scheduledEventID: Int64
    public var attempt: Int32
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
    public let scheduledEventID: Int64
    public let startedEventID: Int64
    public let attempt: Int32
    public let scheduledAt: Instant
    public let startedAt: Instant
    public let identity: String
    public let requestID: String
    /// The build of the worker's code, where it tells.
    public let buildID: String
    /// What its token carries, so that a token from before is refused.
    public let nonce: UInt64
    public let epoch: Int64
    public let historyBytes: Int64
    public let suggestsContinueAsNew: Bool
    /// The attempt has no WorkflowTaskScheduled event in the history: it is written with the completion.
    public let isTransient: Bool
    public let normalQueue: String
    public let timeout: Interval
}
