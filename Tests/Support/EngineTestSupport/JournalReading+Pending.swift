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
            for (field, actual, expected) in scheduledFields(activity, recorded.event, scheduled)
                + attemptFields(activity)
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
        _ scheduled: ActivityTaskScheduledEventAttributes
    ) -> [(String, String, String)] {
        [
            ("activityID", activity.activityID, scheduled.activityID),
            ("type", activity.type, scheduled.activityType?.name ?? ""),
            ("taskQueue", activity.taskQueue, scheduled.taskQueue?.name ?? ""),
            ("scheduledAt", "\(activity.scheduledAt)", "\(event.eventTime.map(Instant.init) ?? .distantPast)"),
            ("scheduleToClose", "\(activity.scheduleToClose)", "\(Interval(scheduled.scheduleToCloseTimeout))"),
            ("scheduleToStart", "\(activity.scheduleToStart)", "\(Interval(scheduled.scheduleToStartTimeout))"),
            ("startToClose", "\(activity.startToClose)", "\(Interval(scheduled.startToCloseTimeout))"),
            ("heartbeatTimeout", "\(activity.heartbeatTimeout)", "\(Interval(scheduled.heartbeatTimeout))"),
            ("retryPolicy", "\(activity.retryPolicy)", "\(scheduled.retryPolicy ?? RetryPolicy())"),
            ("input", "\(bytes(activity.input))", "\(bytes(scheduled.input))"),
        ]
    }

    /// What follows from the facts of one activity.
    private func attemptFields(_ activity: PendingActivity) -> [(String, String, String)] {
        let id = activity.scheduledEventID
        var attempt: Int32 = 1
        var attemptScheduledAt = activity.scheduledAt
        var start: Fact.ActivityStart?
        var retry: Fact.ActivityRetry?
        for recorded in facts {
            switch recorded.fact {
            case .activityStarted(let started) where started.scheduledEventID == id: start = started
            case .activityReturned(id, _, let at):
                start = nil
                attemptScheduledAt = at
            case .activityRetryScheduled(let retried) where retried.scheduledEventID == id:
                start = nil
                retry = retried
                attempt += 1
                attemptScheduledAt = retried.at
            default: continue
            }
        }
        let cancellation = events.last { recorded in
            guard case .activityTaskCancelRequestedEventAttributes(let it) = recorded.event.attributes else {
                return false
            }
            return it.scheduledEventID == id
        }
        return [
            ("attempt", "\(activity.attempt)", "\(attempt)"),
            ("attemptScheduledAt", "\(activity.attemptScheduledAt)", "\(attemptScheduledAt)"),
            ("startedAt", "\(activity.startedAt as Any)", "\(start?.at as Any)"),
            ("startedIdentity", activity.startedIdentity, start?.identity ?? ""),
            ("startedRequestID", activity.startedRequestID, start?.requestID ?? ""),
            ("startedBuildID", activity.startedBuildID, start?.buildID ?? ""),
            ("cancelRequestedEventID", "\(activity.cancelRequestedEventID)", "\(cancellation?.event.eventID ?? 0)"),
            ("lastFailure", "\(bytes(activity.lastFailure))", "\(bytes(retry?.failure))"),
            ("lastWorkerIdentity", activity.lastWorkerIdentity, retry?.workerIdentity ?? ""),
            ("lastAttemptCompletedAt", "\(activity.lastAttemptCompletedAt as Any)", "\(retry?.failedAt as Any)"),
            ("heartbeatDetails", "\(bytes(activity.heartbeatDetails))", "\(bytes(retry?.heartbeatDetails))"),
            ("heartbeatAt", "\(activity.heartbeatAt as Any)", "\(retry?.heartbeatAt as Any)"),
            ("heartbeatAt", "\(activity.heartbeatAt as Any)", "\(retry?.heartbeatAt as Any)"),
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
