internal import SagamoreAPI

extension Execution {
    /// The first decision of a new owner: writes the events that were buffered for a workflow task, which was lost with
    /// the previous owner.
    public func decideRecovery(at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning, !durable.bufferedEvents.isEmpty, volatile.startedTask == nil else { return draft.decision }
        flushBufferedEvents(in: &draft)
        scheduleWorkflowTask(in: &draft)
        return draft.decision
    }

    /// The tasks that are due and not started. They are derived, since tasks are not stored. Later attempts of
    /// activities follow from their deadlines.
    public func dueTasks() -> [TaskOffer] {
        guard isRunning else { return [] }
        var offers: [TaskOffer] = []
        if let task = workflowTask, volatile.startedTask == nil {
            offers.append(
                .workflow(
                    route: route,
                    stickyQueue: volatile.stickyAbandoned ? "" : task.stickyQueue,
                    stamp: task.stamp
                )
            )
        }
        let waiting = durable.activities.values.filter { $0.isWaiting && $0.number == 1 }
        for activity in waiting.sorted(by: { $0.scheduledEventID < $1.scheduledEventID }) {
            offers.append(
                .activity(route: route(of: activity), scheduledEventID: activity.scheduledEventID, attempt: 1)
            )
        }
        return offers
    }
}
