extension Execution {
    /// The current due time of a deadline's subject; nil when the deadline is stale.
    ///
    /// The deadline itself may be later (it was moved) or earlier (an activity has sent a heartbeat since, or its
    /// attempt was returned and started again).
    ///
    /// - Parameter outage: when workers could not report.
    func dueTime(of deadline: Deadline, after outage: WorkerOutage = .none) -> Instant? {
        switch deadline.kind {
        case .workflowTaskBackoff: durable.firstTaskDueAt
        case .workflowTaskScheduleToStart, .workflowTaskStartToClose:
            workflowTaskDeadlines().first { $0.kind == deadline.kind && $0.belongsTogether(with: deadline) }.map {
                // Not postponed: this deadline only moves the task to another queue.
                outage.putOff($0.at, since: volatile.startedTask?.startedAt ?? .distantFuture)
            }
        case .timer: durable.timers[deadline.id]?.fireAt
        case .runTimeout: durable.runDeadline
        case .executionTimeout: durable.executionDeadline
        default: durable.activities[deadline.id].flatMap { dueTime(of: deadline, $0, outage) }
        }
    }

    private func dueTime(of deadline: Deadline, _ activity: PendingActivity, _ outage: WorkerOutage) -> Instant? {
        if deadline.kind == .activityScheduleToClose {
            return outage.putOff(activity.closeDeadline, since: activity.scheduledAt)
        }
        guard activity.attempt == deadline.attempt else { return nil }
        switch (deadline.kind, activity.startedAt) {
        case (.activityRetry, nil): return activity.attemptScheduledAt
        case (.activityScheduleToStart, nil):
            let since = activity.attemptScheduledAt
            return outage.putOff(since + activity.scheduleToStart, since: since)
        case (.activityStartToClose, .some(let startedAt)):
            return outage.putOff(startedAt + activity.startToClose, since: startedAt)
        case (.activityHeartbeat, .some(let startedAt)):
            let heartbeat = volatile.heartbeats[deadline.id].flatMap { $0.attempt == activity.attempt ? $0.at : nil }
            let heard = max(startedAt, heartbeat ?? startedAt)
            return outage.heartbeatDeadline(heard: heard, startedAt: startedAt, timeout: activity.heartbeatTimeout)
        default: return nil
        }
    }
}
