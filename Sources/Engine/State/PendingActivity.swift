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
    /// The task queue whose pollers get it.
    public let taskQueue: String
    /// When the workflow scheduled it.
    public let scheduledAt: Instant
    /// The limit for all attempts together.
    public let scheduleToClose: Interval
    /// The limit for one attempt's wait in the task queue.
    public let scheduleToStart: Interval
    /// The limit for one running attempt.
    public let startToClose: Interval
    /// The limit between two heartbeats; zero means that none are expected.
    public let heartbeatTimeout: Interval
    /// When and how often a failed attempt is repeated.
    public let retryPolicy: RetryPolicy
    /// The arguments, as the workflow encoded them.
    public let input: RawMessage<Payloads>?
    /// The headers, as the workflow encoded them.
    public let header: RawMessage<Header>?
    /// The priority among the queue's tasks, if the workflow set one.
    public let priority: Priority?

    /// The number of the current attempt, from 1.
    public var attempt: Int32 = 1
    /// When this attempt was, or will be, offered to workers.
    public var attemptScheduledAt: Instant
    /// When a worker got this attempt; nil while it waits.
    public var startedAt: Instant?
    /// The identity of the worker that runs the attempt; empty when none does.
    public var startedIdentity = ""
    /// The id of the poll that took the attempt, so that a repeated poll gets the same answer.
    public var startedRequestID = ""
    /// The build id of the worker that runs the attempt.
    public var startedBuildID = ""
    /// The nonce in the token of the newest start; 0 while the attempt waits.
    public var startedNonce: UInt64 = 0
    /// The id of ActivityTaskCancelRequested; 0 without one.
    public var cancelRequestedEventID: Int64 = 0
    /// The failure of the previous attempt.
    public var lastFailure: RawMessage<Failure>?
    /// The worker that ran the previous attempt.
    public var lastWorkerIdentity = ""
    /// When the previous attempt ended.
    public var lastAttemptCompletedAt: Instant?
    /// The last heartbeat details of the previous attempt.
    public var heartbeatDetails: RawMessage<Payloads>?
    /// When these details arrived.
    public var heartbeatAt: Instant?

    /// Whether a worker is running the attempt.
    public var isStarted: Bool { startedAt != nil }
    /// Whether the workflow asked to cancel it.
    public var isCancelRequested: Bool { cancelRequestedEventID != 0 }

    /// When the activity times out as a whole; the end of time without a limit.
    public var closeDeadline: Instant { scheduleToClose.isSet ? scheduledAt + scheduleToClose : .distantFuture }
}

extension PendingActivity {
    /// A newly scheduled activity. In an extension, to keep the memberwise initializer.
    init(event: HistoryEvent, attributes: ActivityTaskScheduledEventAttributes) {
        let at = event.eventTime.map(Instant.init) ?? Instant(nanoseconds: 0)
        scheduledEventID = event.eventID
        activityID = attributes.activityID
        type = attributes.activityType?.name ?? ""
        taskQueue = attributes.taskQueue?.name ?? ""
        scheduledAt = at
        scheduleToClose = Interval(attributes.scheduleToCloseTimeout)
        scheduleToStart = Interval(attributes.scheduleToStartTimeout)
        startToClose = Interval(attributes.startToCloseTimeout)
        heartbeatTimeout = Interval(attributes.heartbeatTimeout)
        retryPolicy = attributes.retryPolicy ?? RetryPolicy()
        input = attributes.input
        header = attributes.header
        priority = attributes.priority
        attemptScheduledAt = at
    }
}

/// The newest heartbeat of a running attempt; in memory only.
public struct Heartbeat: Sendable {
    /// The attempt that sent the heartbeat.
    public var attempt: Int32
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
