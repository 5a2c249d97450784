public import SagamoreAPI

/// The durable part of the pending workflow task. Whether a worker holds it is volatile: `StartedWorkflowTask`.
public struct WorkflowTask: Equatable, Sendable {
    /// The id of its WorkflowTaskScheduled event; 0 for a later attempt, which has no event yet.
    public var scheduledEventID: Int64
    /// The number of the attempt, from 1. Only the first attempt is written to the history.
    public var attempt: Int32
    /// When the task became due.
    public var scheduledAt: Instant
    /// The sticky queue it was scheduled on; empty for the normal one.
    public var stickyQueue: String

    /// The newest event when a later attempt became due. Newer events turn it into a first attempt.
    public var afterEventID: Int64

    /// Whether this is a later attempt of a failed task, which is not part of the history until it completes.
    public var isTransient: Bool { scheduledEventID == 0 }
}

/// A workflow task that a worker holds. Lost in a crash: the scheduled task is then due again.
public struct StartedWorkflowTask: Sendable {
    /// The id of the task's WorkflowTaskScheduled.
    public let scheduledEventID: Int64
    /// The id that the task's WorkflowTaskStarted will get.
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
    /// The worker's build id, if it sent one.
    public let buildID: String
    /// The nonce in its token, so that older tokens are refused.
    public let nonce: UInt64
    /// The owner's epoch when the worker took it.
    public let epoch: Int64
    /// The size of the history that the worker was given, in bytes.
    public let historyBytes: Int64
    /// Why the workflow should continue as new; empty while its history is short.
    public let continueAsNewReasons: [SuggestContinueAsNewReason]
    /// Whether the attempt has no WorkflowTaskScheduled event yet: it is written with the completion.
    public let isTransient: Bool
    /// The normal task queue, as opposed to the sticky one.
    public let normalQueue: String
    /// How long the worker may hold the task.
    public let timeout: Interval
}
