public import SagamoreAPI
internal import SagamoreProtobuf

/// What is set for the attempts of an activity: queue, timeouts, retries.
public struct ActivitySettings: Equatable, Sendable {
    /// The task queue whose pollers get the attempts.
    public var taskQueue: String
    /// The limit for all attempts together.
    public var scheduleToClose: Interval
    /// The limit for one attempt's wait in the task queue.
    public var scheduleToStart: Interval
    /// The limit for one running attempt.
    public var startToClose: Interval
    /// The limit between two heartbeats; zero means that none are expected.
    public var heartbeatTimeout: Interval
    /// When and how often a failed attempt is repeated.
    public var retryPolicy: RetryPolicy
    /// The priority among the queue's tasks, if one is set.
    public var priority: Priority?

    init(_ event: ActivityTaskScheduledEventAttributes) {
        taskQueue = event.taskQueue?.name ?? ""
        scheduleToClose = Interval(event.scheduleToCloseTimeout)
        scheduleToStart = Interval(event.scheduleToStartTimeout)
        startToClose = Interval(event.startToCloseTimeout)
        heartbeatTimeout = Interval(event.heartbeatTimeout)
        retryPolicy = event.retryPolicy ?? RetryPolicy()
        priority = event.priority
    }

    public init(_ message: ActivityOptions) {
        taskQueue = message.taskQueue?.name ?? ""
        scheduleToClose = Interval(message.scheduleToCloseTimeout)
        scheduleToStart = Interval(message.scheduleToStartTimeout)
        startToClose = Interval(message.startToCloseTimeout)
        heartbeatTimeout = Interval(message.heartbeatTimeout)
        retryPolicy = message.retryPolicy ?? RetryPolicy()
        priority = message.priority
    }

    /// The form of the contract. Unset timeouts are zero there, not left out.
    public var message: ActivityOptions {
        var message = ActivityOptions()
        message.taskQueue = TaskQueue()
        message.taskQueue?.name = taskQueue
        message.scheduleToCloseTimeout = scheduleToClose.duration
        message.scheduleToStartTimeout = scheduleToStart.duration
        message.startToCloseTimeout = startToClose.duration
        message.heartbeatTimeout = heartbeatTimeout.duration
        message.retryPolicy = retryPolicy
        message.priority = priority
        return message
    }

    /// The message without the error types that are not retried, which clients are not shown.
    public var shownMessage: ActivityOptions {
        var message = message
        message.retryPolicy?.nonRetryableErrorTypes = []
        return message
    }

    /// Fills in the timeouts that follow from others, as for a new activity.
    func filledIn() -> ActivitySettings {
        var settings = self
        settings.scheduleToStart = scheduleToStart.capped(by: scheduleToClose)
        settings.startToClose = startToClose.capped(by: scheduleToClose)
        if heartbeatTimeout.isSet { settings.heartbeatTimeout = heartbeatTimeout.capped(by: settings.startToClose) }
        return settings
    }
}

/// Who paused an activity, when and why.
public struct ActivityPause: Equatable, Sendable {
    /// When it was paused.
    public let at: Instant
    /// Who did it.
    public let identity: String
    /// Why, in the operator's words.
    public let reason: String

    public init(at: Instant, identity: String, reason: String) {
        self.at = at
        self.identity = identity
        self.reason = reason
    }
}

/// What an operator did to an activity. A class, since most activities have none and hundreds of thousands may be in
/// memory.
final class ActivityIntervention: Equatable, Sendable, CustomStringConvertible {
    struct Values: Equatable, Sendable {
        /// Who paused the activity; nil when it is not paused.
        var pause: ActivityPause?
        /// Whether the running attempt is to stop, because the activity starts over.
        var isReset = false
        /// Whether the next attempt gets no heartbeat details of this one.
        var forgetsHeartbeat = false
        /// What the activity was scheduled with, when that was changed.
        var original: ActivitySettings?
    }

    let values: Values

    init(_ values: Values) {
        self.values = values
    }

    var pause: ActivityPause? { values.pause }
    var isReset: Bool { values.isReset }
    var forgetsHeartbeat: Bool { values.forgetsHeartbeat }
    var original: ActivitySettings? { values.original }
    var description: String { "\(values)" }

    static func == (left: ActivityIntervention, right: ActivityIntervention) -> Bool { left.values == right.values }
}
