internal import SagamoreEngine

/// The runs that a worker keeps in memory. The one that was not used for longest leaves first.
struct RunCache {
    private var entries: [RunID: Entry] = [:]
    private var uses: UInt64 = 0
    private let limit: Int

    private struct Entry {
        var run: ScriptRun
        var use: UInt64
    }

    init(limit: Int) { self.limit = limit }

    /// Takes a run out.
    mutating func take(_ id: RunID) -> ScriptRun? { entries.removeValue(forKey: id)?.run }

    /// The run, without taking it out.
    func run(_ id: RunID) -> ScriptRun? { entries[id]?.run }

    mutating func keep(_ run: ScriptRun, _ id: RunID) {
        guard limit > 0 else { return }
        uses += 1
        entries[id] = Entry(run: run, use: uses)
        // Each use has a number of its own, so the order of the dictionary does not matter.
        if entries.count > limit, let oldest = entries.min(by: { $0.value.use < $1.value.use }) {
            entries[oldest.key] = nil
        }
    }

    /// Drops a run, unless it has gone on since the workflow task with this start.
    mutating func drop(_ id: RunID, at startedEventID: Int64) {
        if entries[id]?.run.lastStartedEventID == startedEventID { entries[id] = nil }
    }
}
