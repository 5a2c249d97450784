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
        default:
            durable.activities[deadline.id]?.machine
                .dueTime(of: deadline, heartbeat: volatile.heartbeats[deadline.id], after: outage)
        }
    }
}
