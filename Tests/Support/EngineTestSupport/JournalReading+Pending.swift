internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What the journal says of activities and timers.
extension JournalReading {
    func activityDifferences(_ state: DurableState) -> [String] {
        var differences: [String] = []
        let ended = Set(happened.filter(\.endsActivity).compactMap(\.subject))
        var pending: Set<Int64> = []
        for recorded in events {
            let id = recorded.event.eventID
            guard case .activityTaskScheduledEventAttributes(let scheduled) = recorded.event.attributes,
                !ended.contains("activity \(id)")
            else { continue }
            pending.insert(id)
            guard let activity = state.activities[id] else {
                differences.append("activity \(id) is pending in the journal alone")
                continue
            }
            let scheduledAt = recorded.event.eventTime.map(Instant.init) ?? .distantPast
            let attempts = AttemptReading(id, scheduledAt: scheduledAt, facts)
            for (field, actual, expected) in scheduledFields(activity, recorded.event, scheduled, attempts)
                + attemptFields(activity, attempts)
            where actual != expected {
                differences.append("activity \(id).\(field): is \(actual), the journal says \(expected)")
            }
        }
        for id in state.activities.keys where !pending.contains(id) {
            differences.append("activity \(id) is pending in the state alone")
        }
        let named = state.activities.values.map { (ExactText($0.activityID), $0.scheduledEventID) }
        let ids = Dictionary(named, uniquingKeysWith: max)
        // A task that cancels an unstarted activity, schedules another one of its id and ends the run writes no end of
        // the first: only then two activities have one id.
        if ids != state.activityIDs || (state.status == .running && ids.count != state.activities.count) {
            differences.append("activityIDs: \(state.activityIDs), the activities say \(ids)")
        }
        return differences
    }

    private func scheduledFields(
        _ activity: PendingActivity,
        _ event: HistoryEvent,
        _ scheduled: ActivityTaskScheduledEventAttributes,
        _ attempts: AttemptReading
    ) -> [(String, String, String)] {
        var original = ActivityOptions()
        original.taskQueue = scheduled.taskQueue
        original.scheduleToCloseTimeout = scheduled.scheduleToCloseTimeout
        original.scheduleToStartTimeout = scheduled.scheduleToStartTimeout
        original.startToCloseTimeout = scheduled.startToCloseTimeout
        original.heartbeatTimeout = scheduled.heartbeatTimeout
        original.retryPolicy = scheduled.retryPolicy
        original.priority = scheduled.priority
        let settings = ActivitySettings(original)
        return [
            ("activityID", activity.activityID, scheduled.activityID),
            ("type", activity.type, scheduled.activityType?.name ?? ""),
            ("scheduledAt", "\(activity.scheduledAt)", "\(event.eventTime.map(Instant.init) ?? .distantPast)"),
            ("options", "\(activity.machine.options)", "\(attempts.options ?? settings)"),
            ("originalOptions", "\(activity.machine.originalOptions)", "\(settings)"),
            ("input", "\(bytes(activity.input))", "\(bytes(scheduled.input))"),
        ]
    }

    /// What follows from the facts of one activity.
    private func attemptFields(_ activity: PendingActivity, _ attempts: AttemptReading) -> [(String, String, String)] {
        let id = activity.scheduledEventID
        let start = attempts.start
        let cancellation = events.last { recorded in
            guard case .activityTaskCancelRequestedEventAttributes(let it) = recorded.event.attributes else {
                return false
            }
            return it.scheduledEventID == id
        }
        return [
            ("attempt", "\(activity.attempt)", "\(attempts.attempt)"),
            ("attemptScheduledAt", "\(activity.attemptScheduledAt)", "\(attempts.scheduledAt)"),
            ("startedAt", "\(activity.startedAt as Any)", "\(start?.at as Any)"),
            ("startedIdentity", activity.startedIdentity, start?.identity ?? ""),
            ("startedRequestID", activity.startedRequestID, start?.requestID ?? ""),
            ("startedBuildID", activity.startedBuildID, start?.buildID ?? ""),
            ("cancelRequestedEventID", "\(activity.cancelRequestedEventID)", "\(cancellation?.event.eventID ?? 0)"),
            ("lastFailure", "\(bytes(activity.lastFailure))", "\(bytes(attempts.failure))"),
            ("lastWorkerIdentity", activity.lastWorkerIdentity, attempts.workerIdentity),
            ("lastAttemptCompletedAt", "\(activity.lastAttemptCompletedAt as Any)", "\(attempts.failedAt as Any)"),
            ("heartbeatDetails", "\(bytes(activity.heartbeatDetails))", "\(bytes(attempts.heartbeatDetails))"),
            ("heartbeatAt", "\(activity.heartbeatAt as Any)", "\(attempts.heartbeatAt as Any)"),
            ("pause", "\(activity.machine.pause as Any)", "\(attempts.pause as Any)"),
            ("isReset", "\(activity.machine.isReset)", "\(attempts.isReset)"),
        ]
    }

    private func bytes<Message>(_ message: RawMessage<Message>?) -> String { "\(message?.bytes as Any)" }

    func timerDifferences(_ state: DurableState) -> [String] {
        let fired = Set(happened.filter { $0.eventType == .timerFired }.compactMap(\.subject))
        var pending: [Int64: (timerID: String, fireAt: Instant)] = [:]
        for recorded in events {
            let event = recorded.event
            switch event.attributes {
            case .timerStartedEventAttributes(let started) where !fired.contains("timer \(event.eventID)"):
                let startedAt = event.eventTime.map(Instant.init) ?? .distantPast
                pending[event.eventID] = (started.timerID, startedAt + Interval(started.startToFireTimeout))
            case .timerCanceledEventAttributes(let canceled): pending[canceled.startedEventID] = nil
            default: continue
            }
        }
        var differences: [String] = []
        let actual = state.timers.values.map { "\($0.startedEventID) \($0.timerID) \($0.fireAt)" }.sorted()
        let expected = pending.map { "\($0) \($1.timerID) \($1.fireAt)" }.sorted()
        if actual != expected { differences.append("timers: are \(actual), the journal says \(expected)") }
        let ids = Dictionary(pending.map { (ExactText($1.timerID), $0) }) { $1 }
        if ids != state.timerIDs || ids.count != pending.count {
            differences.append("timerIDs: are \(state.timerIDs), the journal says \(ids)")
        }
        return differences
    }
}
