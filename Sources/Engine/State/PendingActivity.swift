public import SagamoreAPI
public import SagamoreProtobuf

/// An activity between its ActivityTaskScheduled event and its last one.
public struct PendingActivity: Equatable, Sendable {
    /// The id of ActivityTaskScheduled, which identifies the activity within the run.
    public let scheduledEventID: Int64
    /// The id that the workflow's code chose.
    public let activityID: String
    /// The activity's type, by which workers find the code.
    public let type: String
    /// The arguments, as the workflow encoded them.
    public let input: RawMessage<Payloads>?
    /// The headers, as the workflow encoded them.
    public let header: RawMessage<Header>?
    /// The id of ActivityTaskCancelRequested; 0 without one.
    public internal(set) var cancelRequestedEventID: Int64 = 0
    /// Its attempts.
    public internal(set) var machine: ActivityMachine
}

extension PendingActivity {
    /// A newly scheduled activity. In an extension, to keep the memberwise initializer.
    init(event: HistoryEvent, attributes: ActivityTaskScheduledEventAttributes) {
        let at = event.eventTime.map(Instant.init) ?? Instant(nanoseconds: 0)
        scheduledEventID = event.eventID
        activityID = attributes.activityID
        type = attributes.activityType?.name ?? ""
        input = attributes.input
        header = attributes.header
        machine = ActivityMachine(ActivitySettings(attributes), scheduledAt: at)
    }
}

/// What its machine says.
extension PendingActivity {
    /// The task queue whose pollers get it.
    public var taskQueue: String { machine.options.taskQueue }
    /// When the workflow scheduled it.
    public var scheduledAt: Instant { machine.scheduledAt }
    /// The limit for all attempts together.
    public var scheduleToClose: Interval { machine.options.scheduleToClose }
    /// The limit for one attempt's wait in the task queue.
    public var scheduleToStart: Interval { machine.options.scheduleToStart }
    /// The limit for one running attempt.
    public var startToClose: Interval { machine.options.startToClose }
    /// The limit between two heartbeats; zero means that none are expected.
    public var heartbeatTimeout: Interval { machine.options.heartbeatTimeout }
    /// When and how often a failed attempt is repeated.
    public var retryPolicy: RetryPolicy { machine.options.retryPolicy }
    /// The priority among the queue's tasks, if the workflow set one.
    public var priority: Priority? { machine.options.priority }
    /// The number of the current attempt, from 1.
    public var attempt: Int32 { machine.attempt }
    /// Identifies the waiting attempt for Matching: `ActivityMachine.number`.
    public var number: Int32 { machine.number }
    /// When this attempt was, or will be, offered to workers.
    public var attemptScheduledAt: Instant { machine.attemptScheduledAt }
    /// When a worker got this attempt; nil while it waits.
    public var startedAt: Instant? { machine.startedAt }
    /// The identity of the worker that runs the attempt; empty when none does.
    public var startedIdentity: String { machine.startedIdentity }
    /// The id of the poll that took the attempt.
    public var startedRequestID: String { machine.startedRequestID }
    /// The build id of the worker that runs the attempt.
    public var startedBuildID: String { machine.startedBuildID }
    /// The nonce in the token of the newest start; 0 while the attempt waits.
    public var startedNonce: UInt64 { machine.startedNonce }
    /// The failure of the previous attempt.
    public var lastFailure: RawMessage<Failure>? { machine.lastFailure }
    /// The worker that ran the previous attempt.
    public var lastWorkerIdentity: String { machine.lastWorkerIdentity }
    /// When the previous attempt ended.
    public var lastAttemptCompletedAt: Instant? { machine.lastAttemptCompletedAt }
    /// The last heartbeat details of the previous attempt.
    public var heartbeatDetails: RawMessage<Payloads>? { machine.heartbeatDetails }
    /// When these details arrived.
    public var heartbeatAt: Instant? { machine.heartbeatAt }
    /// Whether a worker is running the attempt.
    public var isStarted: Bool { machine.isStarted }
    /// Whether an operator has paused it.
    public var isPaused: Bool { machine.isPaused }
    /// Whether the workflow asked to cancel it.
    public var isCancelRequested: Bool { cancelRequestedEventID != 0 }
    /// When the activity times out as a whole; the end of time without a limit.
    public var closeDeadline: Instant { machine.closeDeadline }
    /// Whether it waits for a worker, and Matching may have it.
    public var isWaiting: Bool { !isStarted && !isPaused }
}

/// The newest heartbeat of a running attempt; in memory only.
public struct Heartbeat: Sendable {
    /// The number of the attempt that sent it: `ActivityMachine.number`.
    public var number: Int32
    /// When it arrived.
    public var at: Instant
    /// What the worker reported with it.
    public var details: RawMessage<Payloads>?
}

/// A timer between TimerStarted and TimerFired or TimerCanceled.
public struct PendingTimer: Equatable, Sendable {
    /// The id of TimerStarted, which identifies the timer within the run.
    public let startedEventID: Int64
    /// The id that the workflow's code chose.
    public let timerID: String
    /// When the timer is due.
    public let fireAt: Instant
}
