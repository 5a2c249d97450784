/// The runs that a worker has in memory, who uses them, and which are let go first. A value: it decides, others act.
struct RunCache<Run, Task> {
    private struct Entry {
        var run: Run?
        /// Somebody works on it. One task at a time: a second one of the same run waits.
        var isBusy = false
        var waiting: [Task] = []
        var stamp = 0
    }

    /// What becomes of a task.
    enum Begin {
        /// Its turn: with the run, if it is in memory.
        case go(Run?)
        /// It waits until the one before it is done.
        case waits
        /// The run has lost a thread: it is not executed in this process any more.
        case abandoned
    }

    /// What follows from the end of a task.
    struct End {
        /// The next task of the same run: it begins anew.
        var next: Task?
        /// Runs that are to be let go.
        var evicted: [Run] = []
    }

    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var abandoned: Set<String> = []
    /// The runs in the order of their last use. An entry that was used again has another stamp, and is passed over.
    private(set) var order: [(id: String, stamp: Int, at: ContinuousClock.Instant)] = []
    private var head = 0
    private var stamp = 0
    /// How many runs there are in memory.
    private(set) var count = 0

    /// - Parameter limit: how many runs may stay in memory.
    init(limit: Int) { self.limit = limit }

    /// A task of a run has come.
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

    /// A task of a run is done.
    ///
    /// - Parameters:
    ///   - run: what stays in memory; nil: nothing does.
    ///   - now: the time.
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

    /// Whether a new run would push out one that was at work a moment ago, and will be again: rebuilding that from its
    /// history costs more than letting the new one wait.
    mutating func isCrowded(at now: ContinuousClock.Instant) -> Bool {
        guard count >= limit else { return false }
        while head < order.count, entries[order[head].id]?.stamp != order[head].stamp { head += 1 }
        return head < order.count && now - order[head].at < Self.hot
    }

    /// A run that was at work so recently is not pushed out while it can be helped.
    static var hot: Duration { .seconds(3) }

    /// A task has lost its thread. Returns what waited behind it.
    mutating func abandon(_ id: String) -> [Task] {
        abandoned.insert(id)
        guard let entry = entries.removeValue(forKey: id) else { return [] }
        if entry.run != nil { count -= 1 }
        return entry.waiting
    }

    /// All runs on which nobody works; they are forgotten.
    mutating func takeAll() -> [Run] {
        let idle = entries.filter { !$0.value.isBusy }
        for id in idle.keys { entries[id] = nil }
        let runs = idle.values.compactMap(\.run)
        count -= runs.count
        return runs
    }

    private mutating func evict() -> [Run] {
        var evicted: [Run] = []
        var passedOver: ArraySlice<(id: String, stamp: Int, at: ContinuousClock.Instant)> = []
        while count > limit, head < order.count {
            let next = order[head]
            let id = next.id
            head += 1
            guard let entry = entries[id], entry.stamp == next.stamp, let run = entry.run else { continue }
            if entry.isBusy || !entry.waiting.isEmpty {
                passedOver.append(next)
                continue
            }
            entries[id] = nil
            count -= 1
            evicted.append(run)
        }
        order.append(contentsOf: passedOver)
        if order.count > 64, order.count > 2 * count { compact() }
        return evicted
    }

    private mutating func compact() {
        order = order[head...].filter { entries[$0.id]?.stamp == $0.stamp }
        head = 0
    }
}
