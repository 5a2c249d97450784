internal import SagamoreEngine

/// The workflow ids that a shard holds in memory: their slots, the runs that may go idle, and the followers that wait
/// for new events.
///
/// A slot stays in the table while a follower waits in it.
struct RunTable {
    private(set) var slots: [WorkflowKey: WorkflowSlot] = [:]
    /// The slots with waiting followers.
    private(set) var waitedFor: [WorkflowKey: WorkflowSlot] = [:]
    var idle = IdleRuns<CachedRun>()

    /// The number of entries, by which `TableRelief` decides when the tables shrink.
    var weight: Int { slots.count + idle.count }

    /// Returns the slot of a workflow, and adds one if there is none.
    mutating func slot(_ key: WorkflowKey) -> WorkflowSlot {
        if let slot = slots[key] { return slot }
        let slot = WorkflowSlot(key)
        slots[key] = slot
        return slot
    }

    /// Removes a slot that is not needed.
    mutating func dropIfUnused(_ slot: WorkflowSlot) {
        guard slot.canLeave, slots[slot.key] === slot else { return }
        if case .cached(let run) = slot.current, run.uncommitted > 0 || run.execution.durable.life != .done { return }
        slots[slot.key] = nil
    }

    // MARK: News

    mutating func wait(_ waiter: HistoryWaiter, in slot: WorkflowSlot) {
        precondition(slots[slot.key] === slot, "somebody waits in a slot that is forgotten")
        waitedFor[slot.key] = slot
        slot.historyWaiters.append(waiter)
    }

    /// Removes the followers for which the slot's current run has committed news. Returns the calls that tell them.
    mutating func takeNews(in slot: WorkflowSlot) -> [@Sendable () -> Void] {
        guard !slot.historyWaiters.isEmpty, let run = slot.cached else { return [] }
        let committed = run.committed
        let told = take(from: slot) { waiter in
            waiter.runID == run.runID
                ? committed.hasNews(after: waiter.afterEventID, onlyCloseEvent: waiter.onlyCloseEvent)
                : committed.isStored
        }
        return told.map { waiter in
            let closeFrame = committed.isClosed && waiter.runID == run.runID ? run.lastFrame : nil
            return { waiter.news(closeFrame) }
        }
    }

    /// Removes the followers of a run.
    mutating func takeWaiters(of runID: RunID, in slot: WorkflowSlot) -> [HistoryWaiter] {
        take(from: slot) { $0.runID == runID }
    }

    /// Removes the followers whose wait has expired, and the slots that were kept only for them.
    mutating func takeExpired(at now: Instant) -> [HistoryWaiter] {
        var expired: [HistoryWaiter] = []
        let due = waitedFor.values.filter { slot in slot.historyWaiters.contains { $0.deadline <= now } }
        for slot in due.sorted(by: { $0.key.precedes($1.key) }) {
            expired += take(from: slot) { $0.deadline <= now }
            dropIfUnused(slot)
        }
        return expired
    }

    private mutating func take(
        from slot: WorkflowSlot,
        where isTaken: (HistoryWaiter) -> Bool
    ) -> [HistoryWaiter] {
        let taken = slot.historyWaiters.filter(isTaken)
        guard !taken.isEmpty else { return [] }
        slot.historyWaiters.removeAll(where: isTaken)
        if slot.historyWaiters.isEmpty { waitedFor[slot.key] = nil }
        return taken
    }

    // MARK: All

    /// Empties the table. Returns the slots in which requests wait, in the order of their keys, so that these can be
    /// refused, and then the others.
    mutating func removeAll() -> [WorkflowSlot] {
        defer {
            slots = [:]
            waitedFor = [:]
            idle.removeAll()
        }
        let waited = slots.values.filter { !$0.state.waiting.isEmpty || !$0.historyWaiters.isEmpty }
        let others = slots.values.filter { $0.state.waiting.isEmpty && $0.historyWaiters.isEmpty }
        return waited.sorted { $0.key.precedes($1.key) } + others
    }

    /// Frees capacity that a burst needed.
    mutating func shrink() {
        slots = slots.filter { _ in true }
        idle.shrink()
    }
}
