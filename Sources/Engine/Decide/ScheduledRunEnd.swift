public import SagamoreAPI

/// How a chain of runs that a schedule started has ended, as its last run tells the schedule.
public final class ScheduledRunEnd: Sendable {
    /// The schedule, and which of its starts it was.
    public let schedule: Lineage.Schedule
    /// The workflow's id.
    public let workflowID: String
    /// The first run of the chain.
    public let firstRunID: RunID
    /// The last event of the chain's last run.
    public let event: HistoryEvent

    public init(schedule: Lineage.Schedule, workflowID: String, firstRunID: RunID, event: HistoryEvent) {
        self.schedule = schedule
        self.workflowID = workflowID
        self.firstRunID = firstRunID
        self.event = event
    }
}
