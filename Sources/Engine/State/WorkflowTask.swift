public import SagamoreAPI

/// How much of a workflow task is in the history while it is due or runs.
public enum WorkflowTaskForm: Equatable, Sendable {
    /// Its WorkflowTaskScheduled event is in the history.
    case written
    /// A later attempt of a failed task. It is written when it completes.
    case transient
    /// It carries updates and nothing else, and is lost with the process. It is written if an update is accepted, a
    /// command is issued, it fails, or an event has to stand behind it; otherwise it leaves no trace.
    ///
    /// Can transition to: written.
    case speculative
}

/// The pending workflow task. Whether a worker holds it is volatile: `StartedWorkflowTask`.
public struct WorkflowTask: Equatable, Sendable {
    /// How much of it is in the history.
    public var form: WorkflowTaskForm
    /// The id of its WorkflowTaskScheduled event. A speculative task has the id that the event would get; a later
    /// attempt gets it at its start, and has 0 until then.
    public var scheduledEventID: Int64
    /// The number of the attempt, from 1. Only the first attempt is written to the history.
    public var attempt: Int32
    /// When the task became due.
    public var scheduledAt: Instant
    /// The sticky queue it was scheduled on; empty for the normal one.
    public var stickyQueue: String

    /// The newest event when the task became due. Newer events turn an unwritten task into a written first attempt.
    public var afterEventID: Int64

    /// Identifies the task among those of its run.
    public var stamp: WorkflowTaskStamp { WorkflowTaskStamp(scheduledEventID: scheduledEventID, attempt: attempt) }
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
    public internal(set) var identity: String
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
    /// Why the workflow should continue as new, as the worker is told; empty when it need not.
    public let continueAsNewReasons: [SuggestContinueAsNewReason]
    /// Whether its WorkflowTaskScheduled event is in the history, or has to be written together with Started.
    public internal(set) var form: WorkflowTaskForm
    /// The sticky queue on which an unwritten task was scheduled; empty for the normal one.
    public let stickyQueue: String
    /// The normal task queue, as opposed to the sticky one.
    public let normalQueue: String
    /// How long the worker may hold the task.
    public let timeout: Interval
}
