extension Execution {
    /// When what a deadline names is due, as things are now; nil when it is out of date.
    ///
    /// A deadline may be later than this (it was moved), or earlier (an activity has sent a heartbeat since, or its
    /// attempt was returned and started again).
    func dueTime(of deadline: Deadline) -> Instant? {
        switch deadline.kind {
        case .workflowTaskBackoff: durable.firstTaskDueAt
        case .workflowTaskScheduleToStart, .workflowTaskStartToClose:
            workflowTaskDeadlines().first { $0.kind == deadline.kind && $0.belongsTogether(with: deadline) }?.at
        case .timer: durable.timers[deadline.id]?.fireAt
        case .runTimeout: durable.runDeadline
        case .executionTimeout: durable.executionDeadline
        default: durable.activities[deadline.id].flatMap { dueTime(of: deadline, $0) }
        }
    }

    private func dueTime(of deadline: Deadline, _ activity: PendingActivity) -> Instant? {
        if deadline.kind == .activityScheduleToClose { return activity.closeDeadline }
        guard activity.attempt == deadline.attempt else { return nil }
        switch (deadline.kind, activity.startedAt) {
        case (.activityRetry, nil): return activity.attemptScheduledAt
        case (.activityScheduleToStart, nil): return activity.attemptScheduledAt + activity.scheduleToStart
        case (.activityStartToClose, .some(let startedAt)): return startedAt + activity.startToClose
        case (.activityHeartbeat, .some(let startedAt)):
            let heartbeat = volatile.heartbeats[deadline.id].flatMap { $0.attempt == activity.attempt ? $0.at : nil }
            return max(startedAt, heartbeat ?? startedAt) + activity.heartbeatTimeout
        default: return nil
        }
    }
}
