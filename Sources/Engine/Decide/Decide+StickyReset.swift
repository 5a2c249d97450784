extension Execution {
    /// Forgets the worker that has the run in its cache: the next workflow tasks go to any worker, with the whole
    /// history. A task that waits on the sticky queue is offered on the normal one.
    public func decideStickyReset(at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning, !durable.stickyQueue.isEmpty, let completed = durable.completedTask else {
            return draft.decision
        }
        draft.fact(.workflowTaskCompleted(completed.withoutStickyQueue))
        guard let task = workflowTask, volatile.startedTask == nil, !task.stickyQueue.isEmpty,
            !volatile.stickyAbandoned
        else { return draft.decision }
        draft.volatile(.stickyAbandoned)
        draft.decision.offers.append(.workflow(route: route, stickyQueue: "", stamp: task.stamp))
        return draft.decision
    }
}
