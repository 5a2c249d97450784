public import SagamoreAPI
internal import SagamoreProtobuf

/// Which pending activities of a run an operator means.
public enum ActivitySelection: Sendable, Equatable {
    /// The one with this id.
    case id(String)
    /// All of this type.
    case type(String)
    /// All.
    case all
}

/// What an operator does to pending activities.
public enum ActivityOperation: Sendable, Equatable {
    /// No attempt starts, and nothing times out, until they are unpaused. A running attempt may end.
    case pause(reason: String)
    /// The opposite. A waiting attempt is due at once, or within the jitter.
    case unpause(resetsAttempts: Bool, resetsHeartbeat: Bool, jitter: Interval)
    /// They start over with the first attempt: at once, within the jitter, or after the end of the running attempt.
    case reset(resetsHeartbeat: Bool, keepsPaused: Bool, restoresOptions: Bool, jitter: Interval)
    /// The options that the mask names change. The reply is the options of the last activity.
    case changeOptions(ActivityOptions, mask: [String])
    /// They get the options again that they were scheduled with. The reply is the options of the last activity.
    case restoreOptions
}

extension Execution {
    /// Carries out an operator's action.
    ///
    /// - Parameter random: spreads the attempts within the jitter.
    /// - Throws: `workflowClosed`, `notFound` when no activity is meant, `invalidArgument`.
    public func decide(
        _ operation: ActivityOperation,
        on selection: ActivitySelection,
        identity: String,
        random: UInt64,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        guard isRunning else { throw .workflowClosed }
        let selected = try pendingActivities(selection)
        var draft = Draft(self, at: now)
        var random = SplitMix(state: random)
        for id in selected {
            guard let activity = durable.activities[id] else { continue }
            switch operation {
            case .pause(let reason):
                if activity.isPaused { continue }
                let pause = ActivityPause(at: now, identity: identity, reason: reason)
                draft.fact(.activityPaused(scheduledEventID: id, pause))
            case .unpause(let resetsAttempts, let resetsHeartbeat, let jitter):
                if !activity.isPaused { continue }
                let change = Fact.ActivityUnpause(
                    scheduledEventID: id,
                    dueAt: activity.isStarted ? nil : now + random.next(within: jitter),
                    resetsAttempts: resetsAttempts,
                    resetsHeartbeat: resetsHeartbeat
                )
                draft.fact(.activityUnpaused(change))
            case .reset(let resetsHeartbeat, let keepsPaused, let restoresOptions, let jitter):
                if restoresOptions { _ = restore(activity, in: &draft) }
                let waits = !activity.isStarted && !(activity.isPaused && keepsPaused)
                let change = Fact.ActivityReset(
                    scheduledEventID: id,
                    dueAt: waits ? now + random.next(within: jitter) : nil,
                    unpauses: !keepsPaused,
                    resetsHeartbeat: resetsHeartbeat
                )
                draft.fact(.activityReset(change))
            case .changeOptions(let options, let mask):
                let merged = try activity.machine.options.merged(with: options, mask, activity, limits)
                change(activity, to: merged, in: &draft)
                var message = merged.shownMessage
                message.taskQueue?.kind = .normal
                draft.decision.reply = .activityOptions(message)
            case .restoreOptions:
                draft.decision.reply = .activityOptions(restore(activity, in: &draft).message)
            }
        }
        return draft.decision
    }

    private func pendingActivities(_ selection: ActivitySelection) throws(RequestError) -> [Int64] {
        let found: [Int64] =
            switch selection {
            case .id(let id): durable.activityIDs[ExactText(id)].map { [$0] } ?? []
            case .type(let type):
                durable.activities.values.filter { $0.type.hasSameBytes(as: type) }.map(\.scheduledEventID)
            case .all: Array(durable.activities.keys)
            }
        if found.isEmpty {
            let message = "Can't find pending activity with such ID. Invalid activityID or activity already completed"
            throw RequestError(.notFound, message, detail: .workflowNotFound)
        }
        return found.sorted()
    }

    private func restore(_ activity: PendingActivity, in draft: inout Draft) -> ActivitySettings {
        let original = activity.machine.originalOptions
        if original != activity.machine.options { change(activity, to: original, in: &draft) }
        return original
    }

    private func change(_ activity: PendingActivity, to options: ActivitySettings, in draft: inout Draft) {
        let change = Fact.ActivityOptionsChange(
            scheduledEventID: activity.scheduledEventID,
            options: options,
            dueAt: activity.isStarted ? nil : activity.machine.dueTime(with: options)
        )
        draft.fact(.activityOptionsChanged(change))
    }
}

extension ActivityMachine {
    /// When the waiting attempt is due with other options: a backoff is reckoned anew.
    fileprivate func dueTime(with options: ActivitySettings) -> Instant {
        guard attempt > 1, let lastAttemptCompletedAt else { return attemptScheduledAt }
        return lastAttemptCompletedAt + RetryRules.interval(options.retryPolicy, attempt: attempt - 1)
    }
}

extension ActivitySettings {
    /// These options with those that a field mask names, in the contract's names or as in its JSON. Unknown names are
    /// ignored.
    ///
    /// - Throws: `invalidArgument` when the result is not valid for the activity.
    fileprivate func merged(
        with new: ActivityOptions,
        _ mask: [String],
        _ activity: PendingActivity,
        _ limits: Limits
    ) throws(RequestError) -> ActivitySettings {
        var merged = message
        for path in mask { try merged.take(Self.snakeCase(path), from: new) }
        var command = ScheduleActivityTaskCommandAttributes()
        command.activityID = activity.activityID
        command.activityType = ActivityType()
        command.activityType?.name = activity.type
        command.taskQueue = merged.taskQueue
        command.scheduleToCloseTimeout = merged.scheduleToCloseTimeout
        command.scheduleToStartTimeout = merged.scheduleToStartTimeout
        command.startToCloseTimeout = merged.startToCloseTimeout
        command.heartbeatTimeout = merged.heartbeatTimeout
        command.retryPolicy = merged.retryPolicy
        if let problem = problem(withActivity: command, limits) { throw .invalidArgument(problem) }
        merged.retryPolicy = RetryRules.withDefaults(merged.retryPolicy)
        merged.retryPolicy?.nonRetryableErrorTypes = retryPolicy.nonRetryableErrorTypes
        return ActivitySettings(merged).filledIn()
    }

    private static func snakeCase(_ path: String) -> String {
        path.reduce(into: "") { result, character in
            if character.isUppercase { result += "_" }
            result += character.lowercased()
        }
    }
}

extension ActivityOptions {
    fileprivate mutating func take(_ path: String, from new: ActivityOptions) throws(RequestError) {
        switch path {
        case "task_queue.name":
            guard let queue = new.taskQueue else { throw .invalidArgument("TaskQueue is not provided") }
            taskQueue?.name = queue.name
        case "schedule_to_close_timeout": scheduleToCloseTimeout = new.scheduleToCloseTimeout
        case "schedule_to_start_timeout": scheduleToStartTimeout = new.scheduleToStartTimeout
        case "start_to_close_timeout": startToCloseTimeout = new.startToCloseTimeout
        case "heartbeat_timeout": heartbeatTimeout = new.heartbeatTimeout
        case "priority": priority = new.priority
        case "priority.priority_key", "priority.fairness_key", "priority.fairness_weight":
            guard let given = new.priority else { throw .invalidArgument("Priority is not provided") }
            var changed = priority ?? Priority()
            switch path {
            case "priority.priority_key": changed.priorityKey = given.priorityKey
            case "priority.fairness_key": changed.fairnessKey = given.fairnessKey
            default: changed.fairnessWeight = given.fairnessWeight
            }
            priority = changed
        case "retry_policy", "retry_policy.initial_interval", "retry_policy.backoff_coefficient",
            "retry_policy.maximum_interval", "retry_policy.maximum_attempts":
            guard let given = new.retryPolicy else { throw .invalidArgument("RetryPolicy is not provided") }
            take(path, from: given)
        default: break
        }
    }

    private mutating func take(_ path: String, from given: RetryPolicy) {
        switch path {
        case "retry_policy.initial_interval": retryPolicy?.initialInterval = given.initialInterval
        case "retry_policy.backoff_coefficient": retryPolicy?.backoffCoefficient = given.backoffCoefficient
        case "retry_policy.maximum_interval": retryPolicy?.maximumInterval = given.maximumInterval
        case "retry_policy.maximum_attempts": retryPolicy?.maximumAttempts = given.maximumAttempts
        default: retryPolicy = given
        }
    }
}

/// A sequence of random numbers from one seed.
private struct SplitMix {
    var state: UInt64

    mutating func next(within interval: Interval) -> Interval {
        guard interval.isSet else { return .zero }
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Interval(nanoseconds: Int64(mixed % UInt64(interval.nanoseconds)))
    }
}
