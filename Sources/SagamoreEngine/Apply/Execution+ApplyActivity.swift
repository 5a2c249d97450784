internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    mutating func insertActivity(_ activity: PendingActivity) {
        durable.activities[activity.scheduledEventID] = activity
        durable.activityIDs[activity.activityID] = activity.scheduledEventID
        for deadline in deadlines(of: activity) { arm(deadline) }
    }

    mutating func removeActivity(_ scheduledEventID: Int64) {
        guard let activity = durable.activities.removeValue(forKey: scheduledEventID) else { return }
        volatile.heartbeats[scheduledEventID] = nil
        // A new activity may carry the same id by now.
        if durable.activityIDs[activity.activityID] == scheduledEventID {
            durable.activityIDs[activity.activityID] = nil
        }
    }

    mutating func applyActivityStarted(_ start: Fact.ActivityStart) {
        let id = start.scheduledEventID
        guard durable.activities[id] != nil else { return }
        durable.activities[id]?.startedAt = start.at
        durable.activities[id]?.startedIdentity = start.identity
        durable.activities[id]?.startedRequestID = start.requestID
        durable.activities[id]?.startedBuildID = start.buildID
        if let activity = durable.activities[id] {
            for deadline in runningDeadlines(of: activity) { arm(deadline) }
        }
    }

    mutating func applyActivityReturned(_ id: Int64, attempt: Int32, at: Instant) {
        guard durable.activities[id]?.attempt == attempt else { return }
        durable.activities[id]?.startedAt = nil
        durable.activities[id]?.startedIdentity = ""
        durable.activities[id]?.startedRequestID = ""
        durable.activities[id]?.startedBuildID = ""
        durable.activities[id]?.attemptScheduledAt = at
        if let activity = durable.activities[id] {
            for deadline in waitingDeadlines(of: activity) { arm(deadline) }
        }
    }

    mutating func applyActivityRetry(_ retry: Fact.ActivityRetry) {
        let id = retry.scheduledEventID
        guard durable.activities[id] != nil else { return }
        durable.activities[id]?.attempt = retry.attempt
        durable.activities[id]?.attemptScheduledAt = retry.at
        durable.activities[id]?.startedAt = nil
        durable.activities[id]?.startedIdentity = ""
        durable.activities[id]?.startedRequestID = ""
        durable.activities[id]?.startedBuildID = ""
        durable.activities[id]?.lastFailure = retry.failure
        durable.activities[id]?.lastWorkerIdentity = retry.workerIdentity
        durable.activities[id]?.lastAttemptCompletedAt = retry.failedAt
        durable.activities[id]?.heartbeatDetails = retry.heartbeatDetails
        durable.activities[id]?.heartbeatAt = retry.heartbeatAt
        volatile.heartbeats[id] = nil
        if let activity = durable.activities[id] {
            for deadline in waitingDeadlines(of: activity) { arm(deadline) }
        }
    }

    mutating func insertTimer(_ timer: PendingTimer) {
        durable.timers[timer.startedEventID] = timer
        durable.timerIDs[timer.timerID] = timer.startedEventID
        arm(Deadline(at: timer.fireAt, kind: .timer, id: timer.startedEventID))
    }

    mutating func removeTimer(_ startedEventID: Int64) {
        guard let timer = durable.timers.removeValue(forKey: startedEventID) else { return }
        if durable.timerIDs[timer.timerID] == startedEventID { durable.timerIDs[timer.timerID] = nil }
    }

    /// A timer cancelled by the task that its firing waited for: the firing is taken back.
    mutating func dropBufferedFiring(ofTimer startedEventID: Int64) {
        guard let index = durable.bufferedEvents.firstIndex(where: { $0.isFiring(ofTimer: startedEventID) }) else { return }
        durable.bufferedBytes -= durable.bufferedEvents.remove(at: index).serializedBytes().count
    }

    /// The events that waited are in the history now.
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
