internal import SagamoreEngine

/// The workflow ids that a shard has something of in memory: their slots, the runs that may go idle, and who waits for
/// news of a history.
///
/// A slot stays while somebody waits in it, whatever else is known of it.
struct RunTable {
    private(set) var slots: [WorkflowKey: WorkflowSlot] = [:]
    /// The slots in which somebody waits for news.
    private(set) var waitedFor: [WorkflowKey: WorkflowSlot] = [:]
    var idle = IdleRuns<CachedRun>()

    /// How much is kept, for those who decide when the tables shrink.
    var weight: Int { slots.count + idle.count }

    /// The slot of a workflow; a new one where there is none.
    mutating func slot(_ key: WorkflowKey) -> WorkflowSlot {
        if let slot = slots[key] { return slot }
        let slot = WorkflowSlot(key)
        slots[key] = slot
        return slot
    }

    /// Forgets a slot that nobody needs.
    mutating func dropIfUnused(_ slot: WorkflowSlot) {
        guard slot.canLeave, slots[slot.key] === slot else { return }
        if case .cached(let run) = slot.current, run.uncommitted > 0 || run.execution.isRunning { return }
        slots[slot.key] = nil
    }

    // MARK: News

    mutating func wait(_ waiter: HistoryWaiter, in slot: WorkflowSlot) {
        precondition(slots[slot.key] === slot, "somebody waits in a slot that is forgotten")
        waitedFor[slot.key] = slot
        slot.historyWaiters.append(waiter)
    }

    /// Takes those out for whom there is news of a slot's current run that is committed, and what to call them with.
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

    /// Takes those out who wait for news of a run.
    mutating func takeWaiters(of runID: RunID, in slot: WorkflowSlot) -> [HistoryWaiter] {
        take(from: slot) { $0.runID == runID }
    }

    /// Takes those out whose wait is over, and forgets the slots that were kept for them alone.
    mutating func takeExpired(at now: Instant) -> [HistoryWaiter] {
        var expired: [HistoryWaiter] = []
        for slot in waitedFor.values {
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

    /// Forgets everything. Returns the slots, for those who wait in them.
    mutating func removeAll() -> [WorkflowSlot] {
        defer {
            slots = [:]
            waitedFor = [:]
            idle.removeAll()
        }
        return Array(slots.values)
    }

    /// Gives capacity back that a burst has needed.
    mutating func shrink() {
        slots = slots.filter { _ in true }
        idle.shrink()
    }
}
