internal import SagamoreAPI

extension Execution {
    /// The workflow task failed because a reset began a run with it: this one, or an earlier one whose history this one
    /// repeats. Time counts from now on, and activities that were pending begin anew.
    mutating func applyReset(_ attributes: WorkflowTaskFailedEventAttributes, at: Instant) {
        guard attributes.newRunID == runID.description else { return }
        durable.originalStartedAt = durable.originalStartedAt ?? durable.startedAt
        durable.lastResetAt = at
        durable.startedAt = at
        durable.chainExpiration = nil
        durable.firstTaskBackoff = .zero
        durable.firstTaskDueAt = nil
        for id in durable.activities.keys { durable.activities[id]?.machine.reschedule(at: at) }
        rebuildDeadlines()
    }

    mutating func applyReset(_ reset: Fact.RunReset) {
        durable.resetRequestID = reset.requestID
        durable.startRequestID = reset.startRequestID
    }
}

extension HistoryEvent {
    /// Whether it ended a run because a reset continues its workflow in another one.
    var isEndByReset: Bool {
        guard case .workflowExecutionTerminatedEventAttributes(let terminated) = attributes else { return false }
        return terminated.identity == resetterIdentity
    }
}
