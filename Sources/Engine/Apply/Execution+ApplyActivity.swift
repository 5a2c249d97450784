internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    mutating func insertActivity(_ activity: PendingActivity) {
        durable.activities[activity.scheduledEventID] = activity
        durable.activityIDs[ExactText(activity.activityID)] = activity.scheduledEventID
        for deadline in activity.machine.deadlines(of: activity.scheduledEventID) { arm(deadline) }
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
        durable.activities[start.scheduledEventID]?.machine.start(start)
        if let activity = durable.activities[start.scheduledEventID] {
            for deadline in activity.machine.runningDeadlines(of: start.scheduledEventID) { arm(deadline) }
        }
    }

    mutating func applyActivityReturned(_ id: Int64, attempt: Int32, at: Instant) {
        guard durable.activities[id]?.attempt == attempt else { return }
        durable.activities[id]?.machine.wait(from: at)
        if let activity = durable.activities[id] {
            for deadline in activity.machine.waitingDeadlines(of: id) { arm(deadline) }
        }
    }

    mutating func applyActivityRetry(_ retry: Fact.ActivityRetry) {
        let id = retry.scheduledEventID
        volatile.heartbeats[id] = nil
        durable.activities[id]?.machine.retry(retry)
        if let activity = durable.activities[id] {
            for deadline in activity.machine.waitingDeadlines(of: id) { arm(deadline) }
        }
    }

    mutating func requestCancel(ofActivity id: Int64, by eventID: Int64) {
        durable.activities[id]?.cancelRequestedEventID = eventID
        durable.activities[id]?.machine.isCancelRequested = true
    }

    mutating func applyActivityPaused(_ id: Int64, _ pause: ActivityPause) {
        durable.activities[id]?.machine.pause(pause)
    }

    mutating func applyActivityUnpaused(_ change: Fact.ActivityUnpause) {
        let id = change.scheduledEventID
        if change.resetsHeartbeat { volatile.heartbeats[id] = nil }
        durable.activities[id]?.machine.unpause(change)
        armAll(ofActivity: id)
    }

    mutating func applyActivityReset(_ change: Fact.ActivityReset) {
        durable.activities[change.scheduledEventID]?.machine.reset(change)
        armAll(ofActivity: change.scheduledEventID)
    }

    mutating func applyActivityOptions(_ change: Fact.ActivityOptionsChange) {
        durable.activities[change.scheduledEventID]?.machine.changeOptions(change)
        armAll(ofActivity: change.scheduledEventID)
    }

    /// Arms the deadlines again after an operator's action. Those that were armed before are stale, or come twice.
    private mutating func armAll(ofActivity id: Int64) {
        guard let activity = durable.activities[id] else { return }
        for deadline in activity.machine.deadlines(of: id) { arm(deadline) }
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
}

extension HistoryEvent {
    func isFiring(ofTimer startedEventID: Int64) -> Bool {
        if case .timerFiredEventAttributes(let attributes) = attributes {
            return attributes.startedEventID == startedEventID
        }
        return false
    }
}
