public import SagamoreAPI
public import SagamoreProtobuf

/// An activity between its ActivityTaskScheduled event and its last one.
public struct PendingActivity: Equatable, Sendable {
    public let scheduledEventID: Int64
    public let activityID: String
    public let type: String
    public let taskQueue: String
    public let scheduledAt: Instant
    public let scheduleToClose: Interval
    public let scheduleToStart: Interval
    public let startToClose: Interval
    public let heartbeatTimeout: Interval
    public let retryPolicy: RetryPolicy
    public let input: RawMessage<Payloads>?
    public let header: RawMessage<Header>?
    public let priority: Priority?

    /// Counts from 1.
    public var attempt: Int32 = 1
    /// When this attempt was, or will be, offered to workers.
    public var attemptScheduledAt: Instant
    /// When a worker got this attempt; nil while it waits.
    public var startedAt: Instant?
    public var startedIdentity = ""
    public var startedRequestID = ""
    public var startedBuildID = ""
    /// What the token of the newest start carries; 0 while the attempt waits.
    public var startedNonce: UInt64 = 0
    public var cancelRequestedEventID: Int64 = 0
    public var lastFailure: RawMessage<Failure>?
    public var lastWorkerIdentity = ""
    public var lastAttemptCompletedAt: Instant?
    /// The heartbeat details that the attempt before left to this one.
    public var heartbeatDetails: RawMessage<Payloads>?
    /// When they came.
    public var heartbeatAt: Instant?

    public var isStarted: Bool { startedAt != nil }
    public var isCancelRequested: Bool { cancelRequestedEventID != 0 }

    /// When the whole activity must have ended; the end of time where no limit is set.
    public var closeDeadline: Instant { scheduleToClose.isSet ? scheduledAt + scheduleToClose : .distantFuture }

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

/// What is known of a running attempt only in memory.
public struct Heartbeat: Sendable {
    public var attempt: Int32
    public var at: Instant
    public var details: RawMessage<Payloads>?
}

/// A timer between TimerStarted and TimerFired or TimerCanceled.
public struct PendingTimer: Equatable, Sendable {
    public let startedEventID: Int64
    public let timerID: String
    public let fireAt: Instant
}
