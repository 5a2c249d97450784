/// Tracks the runs in a worker's memory, which of them are in use, and which to evict first. It only decides; the
/// caller acts.
struct RunCache<Run, Task> {
    private struct Entry {
        var run: Run?
        /// Whether a task of the run is being processed. Further tasks of the run wait.
        var isBusy = false
        var waiting: [Task] = []
        var stamp = 0
    }

    /// What to do with a new task.
    enum Begin {
        /// Process it, with the run if it is in memory.
        case go(Run?)
        /// It waits for the run's current task.
        case waits
        /// The run blocked a thread forever, so this process no longer executes it.
        case abandoned
    }

    /// What to do after a task.
    struct End {
        /// The next task of the same run. It starts with `begin` again.
        var next: Task?
        /// Runs to evict.
        var evicted: [Run] = []
    }

    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var abandoned: Set<String> = []
    /// The runs in the order of their last use. Entries with an old stamp are stale and skipped.
    private(set) var order: [(id: String, stamp: Int, at: ContinuousClock.Instant)] = []
    private var head = 0
    private var stamp = 0
    /// The number of runs in memory.
    private(set) var count = 0

    /// - Parameter limit: the maximum number of runs in memory.
    init(limit: Int) { self.limit = limit }

    /// Registers a new task of a run.
    mutating func begin(_ id: String, _ task: Task) -> Begin {
        if abandoned.contains(id) { return .abandoned }
        var entry = entries.removeValue(forKey: id) ?? Entry()
        defer { entries[id] = entry }
        if entry.isBusy {
            entry.waiting.append(task)
            return .waits
        }
        entry.isBusy = true
        return .go(entry.run)
    }

    /// Ends a task of a run.
    ///
    /// - Parameters:
    ///   - run: the run to keep in memory; nil to keep nothing.
    ///   - now: the current time.
    mutating func end(_ id: String, keeping run: Run?, at now: ContinuousClock.Instant) -> End {
        guard var entry = entries.removeValue(forKey: id), entry.isBusy else { return End() }
        count += (run == nil ? 0 : 1) - (entry.run == nil ? 0 : 1)
        entry.isBusy = false
        entry.run = run
        var end = End()
        if !entry.waiting.isEmpty { end.next = entry.waiting.removeFirst() }
        if run != nil || !entry.waiting.isEmpty {
            stamp += 1
            entry.stamp = stamp
            entries[id] = entry
            if run != nil { order.append((id, stamp, now)) }
        }
        end.evicted = evict()
        return end
    }

    /// Whether a new run would evict one that was used a moment ago and will be used again. Rebuilding that from its
    /// history costs more than delaying the new run.
    mutating func isCrowded(at now: ContinuousClock.Instant) -> Bool {
        guard count >= limit else { return false }
        while head < order.count, entries[order[head].id]?.stamp != order[head].stamp { head += 1 }
        return head < order.count && now - order[head].at < Self.hot
    }

    /// Runs used within this time are not evicted if possible.
    static var hot: Duration { .seconds(3) }

    /// Gives a run up whose task blocked its thread. Returns the tasks that waited for it.
    mutating func abandon(_ id: String) -> [Task] {
        abandoned.insert(id)
        guard let entry = entries.removeValue(forKey: id) else { return [] }
        if entry.run != nil { count -= 1 }
        return entry.waiting
    }

    /// Removes and returns all idle runs.
    mutating func takeAll() -> [Run] {
        let idle = entries.filter { !$0.value.isBusy }
        for id in idle.keys { entries[id] = nil }
        let runs = idle.values.compactMap(\.run)
        count -= runs.count
        return runs
    }

    private mutating func evict() -> [Run] {
        var evicted: [Run] = []
        var skipped: ArraySlice<(id: String, stamp: Int, at: ContinuousClock.Instant)> = []
        while count > limit, head < order.count {
            let next = order[head]
            let id = next.id
            head += 1
            guard let entry = entries[id], entry.stamp == next.stamp, let run = entry.run else { continue }
            if entry.isBusy || !entry.waiting.isEmpty {
                skipped.append(next)
                continue
            }
            entries[id] = nil
            count -= 1
            evicted.append(run)
        }
        order.append(contentsOf: skipped)
        if order.count > 64, order.count > 2 * count { compact() }
        return evicted
    }

    private mutating func compact() {
        order = order[head...].filter { entries[$0.id]?.stamp == $0.stamp }
        head = 0
    }
}
