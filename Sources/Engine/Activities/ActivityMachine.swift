public import SagamoreAPI
public import SagamoreProtobuf

/// The attempts of one activity: when each one is due, how long it may take, and what follows its end.
///
/// It knows neither the history nor the run. Questions (`afterFailure`, `afterTimeout`, `deadlines`) change nothing and
/// return what happens; transitions (`ActivityMachine+Transitions`) carry out what was recorded of it.
public struct ActivityMachine: Equatable, Sendable {
    /// What is set for the attempts now. An operator may change it.
    public internal(set) var options: ActivitySettings
    /// When the activity was scheduled, or a reset of its run did so anew.
    public private(set) var scheduledAt: Instant

    /// The number of the current attempt, from 1.
    public internal(set) var attempt: Int32 = 1
    /// How far `number` is ahead of `attempt`, because of an operator's actions.
    var revision: Int32 = 0
    /// When this attempt was, or will be, offered to workers.
    public internal(set) var attemptScheduledAt: Instant
    /// When a worker got this attempt; nil while it waits.
    public internal(set) var startedAt: Instant?
    /// The identity of the worker that runs the attempt; empty when none does.
    public internal(set) var startedIdentity = ""
    /// The id of the poll that took the attempt, so that a repeated poll gets the same answer.
    public internal(set) var startedRequestID = ""
    /// The build id of the worker that runs the attempt.
    public internal(set) var startedBuildID = ""
    /// The nonce in the token of the newest start; 0 while the attempt waits.
    public internal(set) var startedNonce: UInt64 = 0
    /// Whether the activity is to end: a failure is not followed by another attempt.
    public internal(set) var isCancelRequested = false
    /// The failure of the previous attempt.
    public internal(set) var lastFailure: RawMessage<Failure>?
    /// The worker that ran the previous attempt.
    public internal(set) var lastWorkerIdentity = ""
    /// When the previous attempt ended.
    public internal(set) var lastAttemptCompletedAt: Instant?
    /// The last heartbeat details of the previous attempt.
    public internal(set) var heartbeatDetails: RawMessage<Payloads>?
    /// When these details arrived.
    public internal(set) var heartbeatAt: Instant?
    /// What an operator did to the activity; nil for most.
    var intervention: ActivityIntervention?

    /// The first attempt of an activity, due at once.
    init(_ options: ActivitySettings, scheduledAt: Instant) {
        self.options = options
        self.scheduledAt = scheduledAt
        attemptScheduledAt = scheduledAt
    }

    /// A reset of the run schedules the activity anew.
    mutating func reschedule(at instant: Instant) {
        scheduledAt = instant
        attemptScheduledAt = instant
    }

    /// Whether a worker is running the attempt.
    public var isStarted: Bool { startedAt != nil }
    /// Whether an operator has paused the activity: no attempt starts, and nothing times out.
    public var isPaused: Bool { intervention?.pause != nil }
    /// Who paused the activity, when and why.
    public var pause: ActivityPause? { intervention?.pause }
    /// Whether the running attempt is to stop, because the activity starts over.
    public var isReset: Bool { intervention?.isReset ?? false }
    /// Whether the next attempt gets no heartbeat details of this one.
    var forgetsHeartbeat: Bool { intervention?.forgetsHeartbeat ?? false }
    /// What the activity was scheduled with.
    public var originalOptions: ActivitySettings { intervention?.original ?? options }

    /// Identifies a waiting attempt for Matching, and its deadlines: the attempt, as long as no operator intervenes.
    /// It only grows, and what was offered or armed with a smaller one is void.
    public var number: Int32 { attempt + revision }

    /// When the activity times out as a whole; the end of time without a limit.
    public var closeDeadline: Instant {
        options.scheduleToClose.isSet ? scheduledAt + options.scheduleToClose : .distantFuture
    }
}

// MARK: - The ends of attempts

extension ActivityMachine {
    /// What follows the end of an attempt.
    enum Verdict: Equatable {
        /// This attempt follows. It waits until the activity is unpaused when that is paused.
        case retried(attempt: Int32, at: Instant)
        /// The activity ends, for this reason.
        case ended(RetryState)
    }

    /// What follows a failure of the attempt.
    func afterFailure(_ failure: Failure, at now: Instant) -> Verdict {
        if isCancelRequested { return .ended(.cancelRequested) }
        if isPaused {
            // A paused activity has as many attempts as it needs to be unpaused.
            let isFinal = RetryRules.isFinal(failure, options.retryPolicy.nonRetryableErrorTypes)
            return isFinal ? .ended(.nonRetryableFailure) : .retried(attempt: attempt + 1, at: now)
        }
        let verdict = RetryRules.verdict(
            options.retryPolicy,
            attempt: attempt,
            failure: failure,
            deadline: closeDeadline,
            now: now
        )
        return switch verdict {
        case .retry(let pause): .retried(attempt: attempt + 1, at: now + pause)
        case .give(let state): .ended(state)
        }
    }

    /// What follows a timeout, and the failure that says so: of the attempt if another one follows, else of the
    /// activity.
    ///
    /// - Parameter heartbeat: the details of the attempt's last heartbeat.
    func afterTimeout(
        _ type: TimeoutType,
        heartbeat: RawMessage<Payloads>?,
        at now: Instant
    ) -> (Verdict, failure: Failure) {
        let name = mixedCase(type, prefix: "TIMEOUT_TYPE_")
        let failure = timeoutFailure("activity \(name) timeout", type)
        let verdict = afterFailure(failure, at: now)
        guard case .ended(let state) = verdict else { return (verdict, failure) }
        // Whatever ended the attempt, the activity then ends by its own deadline.
        let isTooLate = state == .timeout && type != .scheduleToStart
        let last = timeoutFailure(
            isTooLate ? noTimeForRetry : failure.message,
            isTooLate ? .scheduleToClose : type,
            heartbeat: heartbeat,
            cause: lastFailure
        )
        return (verdict, last)
    }
}

// MARK: - Deadlines

extension ActivityMachine {
    /// Everything that may become due, for the subject `id`.
    func deadlines(of id: Int64) -> [Deadline] {
        guard !isPaused else { return [] }
        var deadlines: [Deadline] = []
        if options.scheduleToClose.isSet {
            deadlines.append(Deadline(at: closeDeadline, kind: .activityScheduleToClose, id: id))
        }
        return deadlines + (isStarted ? runningDeadlines(of: id) : waitingDeadlines(of: id))
    }

    /// What may become due while the attempt waits for a worker.
    func waitingDeadlines(of id: Int64) -> [Deadline] {
        guard !isPaused else { return [] }
        var deadlines: [Deadline] = []
        if number > 1 {
            deadlines.append(Deadline(at: attemptScheduledAt, kind: .activityRetry, id: id, attempt: number))
        }
        if options.scheduleToStart.isSet {
            let at = attemptScheduledAt + options.scheduleToStart
            deadlines.append(Deadline(at: at, kind: .activityScheduleToStart, id: id, attempt: number))
        }
        return deadlines
    }

    /// What may become due while a worker has the attempt.
    func runningDeadlines(of id: Int64) -> [Deadline] {
        guard let startedAt, !isPaused else { return [] }
        var deadlines: [Deadline] = []
        if options.startToClose.isSet {
            let at = startedAt + options.startToClose
            deadlines.append(Deadline(at: at, kind: .activityStartToClose, id: id, attempt: number))
        }
        if options.heartbeatTimeout.isSet {
            let at = startedAt + options.heartbeatTimeout
            deadlines.append(Deadline(at: at, kind: .activityHeartbeat, id: id, attempt: number))
        }
        return deadlines
    }

    /// The current due time of a deadline; nil when the deadline is stale, or the activity is paused.
    ///
    /// - Parameters:
    ///   - heartbeat: the newest heartbeat, if there was one.
    ///   - outage: when workers could not report.
    func dueTime(of deadline: Deadline, heartbeat: Heartbeat?, after outage: WorkerOutage) -> Instant? {
        if isPaused { return nil }
        if deadline.kind == .activityScheduleToClose {
            guard options.scheduleToClose.isSet else { return nil }
            return outage.putOff(closeDeadline, since: scheduledAt)
        }
        guard number == deadline.attempt else { return nil }
        switch (deadline.kind, startedAt) {
        case (.activityRetry, nil): return attemptScheduledAt
        case (.activityScheduleToStart, nil) where options.scheduleToStart.isSet:
            return outage.putOff(attemptScheduledAt + options.scheduleToStart, since: attemptScheduledAt)
        case (.activityStartToClose, .some(let startedAt)) where options.startToClose.isSet:
            return outage.putOff(startedAt + options.startToClose, since: startedAt)
        case (.activityHeartbeat, .some(let startedAt)) where options.heartbeatTimeout.isSet:
            let last = heartbeat.flatMap { $0.number == number ? $0.at : nil } ?? startedAt
            let timeout = options.heartbeatTimeout
            return outage.heartbeatDeadline(heard: max(startedAt, last), startedAt: startedAt, timeout: timeout)
        default: return nil
        }
    }
}

private let noTimeForRetry =
    "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"
