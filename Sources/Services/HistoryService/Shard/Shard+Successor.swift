internal import SagamoreEngine
internal import SagamorePersistence

/// Runs that follow another one of their chain.
extension Shard {
    /// Under the lock: begins the run that follows one that a decision has ended.
    ///
    /// - Parameter ending: the end, which is committed together with the next run's first row.
    /// - Returns: the item with both.
    func begin(_ successor: Successor, after ending: LaneItem, of old: CachedRun, in context: WorkflowContext)
        -> LaneItem
    {
        let execution = SagamoreEngine.Execution(key: context.key, runID: successor.runID)
        let run = CachedRun(
            execution,
            sequence: 0,
            startRequestID: successor.start.request.requestID,
            isStored: false,
            at: successor.at
        )
        let decision = execution.decide(successor.start, at: successor.at)
        context.state.start(run)
        state.newWorkflows.began(context.key)
        let item = apply(decision, on: run, in: context)
        item.ending = ending
        item.basis = old
        return item
    }

    /// Under the lock: the id of a run that may follow this one.
    func successorID(of run: CachedRun, at now: Instant) -> RunID {
        state.random.runID(at: now, after: run.runID)
    }
}
