internal import SagamoreEngine

/// The workflows that a shard holds in memory: their contexts, the runs that may go idle, and the followers that wait
/// for new events.
///
/// A context stays in the table while followers wait in it.
struct RunTable {
    private(set) var contexts: [WorkflowKey: WorkflowContext] = [:]
    /// The contexts with waiting followers.
    private(set) var waitedFor: [WorkflowKey: WorkflowContext] = [:]
    var idle = IdleRuns<CachedRun>()

    /// The number of entries. `TableRelief` uses it to decide when the tables shrink.
    var weight: Int { contexts.count + idle.count }

    subscript(key: WorkflowKey) -> WorkflowContext? { contexts[key] }

    /// Returns the context of a workflow, and adds one if there is none.
    mutating func context(_ key: WorkflowKey) -> WorkflowContext {
        if let context = contexts[key] { return context }
        let context = WorkflowContext(key)
        contexts[key] = context
        return context
    }

    /// Removes a context that is no longer needed.
    mutating func dropIfUnused(_ context: WorkflowContext) {
        guard context.canLeave, contexts[context.key] === context else { return }
        if case .cached(let run) = context.current, run.uncommitted > 0 || run.life != .done {
            return
        }
        contexts[context.key] = nil
    }

    // MARK: Followers

    mutating func wait(_ waiter: HistoryWaiter, in context: WorkflowContext) {
        precondition(contexts[context.key] === context, "a follower waits in a context that was removed")
        waitedFor[context.key] = context
        context.historyWaiters.append(waiter)
    }

    /// Removes the followers to notify of what the context's current run has committed. Returns the calls that do so.
    mutating func takeNotifications(in context: WorkflowContext) -> [@Sendable () -> Void] {
        guard !context.historyWaiters.isEmpty, let run = context.cached else { return [] }
        let committed = run.committed
        let told = take(from: context) { waiter in
            waiter.runID == run.runID
                ? committed.hasNewEvents(after: waiter.afterEventID, onlyCloseEvent: waiter.onlyCloseEvent)
                : committed.isStored
        }
        return told.map { waiter in
            let closeFrame = committed.isClosed && waiter.runID == run.runID ? run.lastFrame : nil
            return { waiter.notify(closeFrame) }
        }
    }

    /// Removes the followers of a run.
    mutating func takeWaiters(of runID: RunID, in context: WorkflowContext) -> [HistoryWaiter] {
        take(from: context) { $0.runID == runID }
    }

    /// Removes the followers whose wait has expired, and the contexts that were kept only for them.
    mutating func takeExpired(at now: Instant) -> [HistoryWaiter] {
        var expired: [HistoryWaiter] = []
        let due = waitedFor.values.filter { context in context.historyWaiters.contains { $0.deadline <= now } }
        for context in due.sorted(by: { $0.key.precedes($1.key) }) {
            expired += take(from: context) { $0.deadline <= now }
            dropIfUnused(context)
        }
        return expired
    }

    private mutating func take(
        from context: WorkflowContext,
        where isTaken: (HistoryWaiter) -> Bool
    ) -> [HistoryWaiter] {
        let taken = context.historyWaiters.filter(isTaken)
        guard !taken.isEmpty else { return [] }
        context.historyWaiters.removeAll(where: isTaken)
        if context.historyWaiters.isEmpty { waitedFor[context.key] = nil }
        return taken
    }

    // MARK: All

    /// Empties the table. Returns the contexts in which requests wait, in the order of their keys, so that these can be
    /// refused, and then the others.
    mutating func removeAll() -> [WorkflowContext] {
        defer {
            contexts = [:]
            waitedFor = [:]
            idle.removeAll()
        }
        let waited = contexts.values.filter { !$0.state.waiting.isEmpty || !$0.historyWaiters.isEmpty }
        let others = contexts.values.filter { $0.state.waiting.isEmpty && $0.historyWaiters.isEmpty }
        return waited.sorted { $0.key.precedes($1.key) } + others
    }

    /// Frees capacity that a burst needed.
    mutating func shrink() {
        contexts = contexts.filter { _ in true }
        idle.shrink()
    }
}
