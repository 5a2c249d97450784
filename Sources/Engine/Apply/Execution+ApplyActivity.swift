internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    mutating func insertActivity(_ activity: PendingActivity) {
        durable.activities[activity.scheduledEventID] = activity
        durable.activityIDs[ExactText(activity.activityID)] = activity.scheduledEventID
        for deadline in deadlines(of: activity) { arm(deadline) }
    }

    mutating func removeActivity(_ scheduledEventID: Int64) {
        guard let activity = durable.activities.removeValue(forKey: scheduledEventID) else { return }
        volatile.heartbeats[scheduledEventID] = nil
        // A new activity may have the same id by now.
        let activityID = ExactText(activity.activityID)
        if durable.activityIDs[activityID] == scheduledEventID { durable.activityIDs[activityID] = nil }
    }

    mutating func applyActivityStarted(_ start: Fact.ActivityStart) {
        // A single lookup: an activity is large, and there may be thousands.
        durable.activities[start.scheduledEventID]?.start(start)
        if let activity = durable.activities[start.scheduledEventID] {
            for deadline in runningDeadlines(of: activity) { arm(deadline) }
        }
    }

    mutating func applyActivityReturned(_ id: Int64, attempt: Int32, at: Instant) {
        guard durable.activities[id]?.attempt == attempt else { return }
        durable.activities[id]?.wait(from: at)
        if let activity = durable.activities[id] {
            for deadline in waitingDeadlines(of: activity) { arm(deadline) }
        }
    }

    mutating func applyActivityRetry(_ retry: Fact.ActivityRetry) {
        let id = retry.scheduledEventID
        volatile.heartbeats[id] = nil
        durable.activities[id]?.retry(retry)
        if let activity = durable.activities[id] {
            for deadline in waitingDeadlines(of: activity) { arm(deadline) }
        }
    }

    mutating func insertTimer(_ timer: PendingTimer) {
        durable.timers[timer.startedEventID] = timer
        durable.timerIDs[ExactText(timer.timerID)] = timer.startedEventID
        arm(Deadline(at: timer.fireAt, kind: .timer, id: timer.startedEventID))
    }

    mutating func removeTimer(_ startedEventID: Int64) {
        guard let timer = durable.timers.removeValue(forKey: startedEventID) else { return }
        let timerID = ExactText(timer.timerID)
        if durable.timerIDs[timerID] == startedEventID { durable.timerIDs[timerID] = nil }
    }

    /// Withdraws the buffered firing of a timer that was cancelled in the task for which it was buffered.
    mutating func dropBufferedFiring(ofTimer startedEventID: Int64) {
        let index = durable.bufferedEvents.firstIndex { $0.isFiring(ofTimer: startedEventID) }
        guard let index else { return }
        durable.bufferedBytes -= durable.bufferedEvents.remove(at: index).serializedBytes().count
    }

    /// Clears the buffer: its events are in the history now.
    mutating func clearBuffer() {
        durable.bufferedEvents = []
        durable.bufferedBytes = 0
    }

    func deadlines(of activity: PendingActivity) -> [Deadline] {
        var deadlines: [Deadline] = []
        let id = activity.scheduledEventID
        if activity.scheduleToClose.isSet {
            deadlines.append(Deadline(at: activity.closeDeadline, kind: .activityScheduleToClose, id: id))
        }
        return deadlines + (activity.isStarted ? runningDeadlines(of: activity) : waitingDeadlines(of: activity))
    }

    private func waitingDeadlines(of activity: PendingActivity) -> [Deadline] {
        let (id, attempt) = (activity.scheduledEventID, activity.attempt)
        var deadlines: [Deadline] = []
        if attempt > 1 {
            deadlines.append(Deadline(at: activity.attemptScheduledAt, kind: .activityRetry, id: id, attempt: attempt))
        }
        if activity.scheduleToStart.isSet {
            let at = activity.attemptScheduledAt + activity.scheduleToStart
            deadlines.append(Deadline(at: at, kind: .activityScheduleToStart, id: id, attempt: attempt))
        }
        return deadlines
    }

    private func runningDeadlines(of activity: PendingActivity) -> [Deadline] {
        guard let startedAt = activity.startedAt else { return [] }
        var deadlines: [Deadline] = []
        let (id, attempt) = (activity.scheduledEventID, activity.attempt)
        if activity.startToClose.isSet {
            let at = startedAt + activity.startToClose
            deadlines.append(Deadline(at: at, kind: .activityStartToClose, id: id, attempt: attempt))
        }
        if activity.heartbeatTimeout.isSet {
            let at = startedAt + activity.heartbeatTimeout
            deadlines.append(Deadline(at: at, kind: .activityHeartbeat, id: id, attempt: attempt))
        }
        return deadlines
    }
}

extension HistoryEvent {
    func isFiring(ofTimer startedEventID: Int64) -> Bool {
        if case .timerFiredEventAttributes(let attributes) = attributes {
            return attributes.startedEventID == startedEventID
        }
        return false
    }
}

extension PendingActivity {
    fileprivate mutating func start(_ start: Fact.ActivityStart) {
        startedAt = start.at
        startedIdentity = start.identity
        startedRequestID = start.requestID
        startedBuildID = start.buildID
        startedNonce = start.nonce
    }

    /// Makes an attempt due that no worker holds.
    fileprivate mutating func wait(from instant: Instant) {
        startedAt = nil
        startedIdentity = ""
        startedRequestID = ""
        startedBuildID = ""
        startedNonce = 0
        attemptScheduledAt = instant
    }

    fileprivate mutating func retry(_ retry: Fact.ActivityRetry) {
        wait(from: retry.at)
        attempt = retry.attempt
        lastFailure = retry.failure
        lastWorkerIdentity = retry.workerIdentity
        lastAttemptCompletedAt = retry.failedAt
        heartbeatDetails = retry.heartbeatDetails
        heartbeatAt = retry.heartbeatAt
    }
}
