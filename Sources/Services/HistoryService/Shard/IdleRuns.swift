internal import SagamoreEngine

/// What a run has to record so that its idle time is known.
struct IdleMark {
    /// The run was last used then.
    fileprivate(set) var touchedAt: Instant
    /// The run is in the list of runs that may go idle.
    fileprivate(set) var isWatched = false

    init(touchedAt: Instant) {
        self.touchedAt = touchedAt
    }
}

/// What `IdleRuns` needs to know of a run.
protocol IdleCandidate: AnyObject {
    var idle: IdleMark { get set }
    /// The run has left memory already.
    var hasLeft: Bool { get }
    /// The run is open. A closed run may leave memory without having been idle.
    var isOpen: Bool { get }
}

/// The runs that may go idle, in the order in which they were listed, each once.
///
/// A run that is used keeps its place, and moves to the end when its turn comes. So use costs nothing.
struct IdleRuns<Run: IdleCandidate> {
    /// How many busy runs one call of `take` moves to the end.
    static var busyLimit: Int { 1_000 }

    private var runs: [Run] = []

    var count: Int { runs.count }

    mutating func touch(_ run: Run, at now: Instant) {
        run.idle.touchedAt = now
        watch(run)
    }

    /// Lists a run, to be looked at later.
    mutating func watch(_ run: Run) {
        guard !run.idle.isWatched else { return }
        run.idle.isWatched = true
        runs.append(run)
    }

    /// Looks at the first `limit` runs and removes those that have been idle. The caller lists those again that cannot
    /// leave memory.
    ///
    /// - Returns: the removed runs, and whether there are more than `limit`.
    mutating func take(idleSince: Instant, limit: Int) -> (idle: [Run], isPartial: Bool) {
        var idle: [Run] = []
        var busy: [Run] = []
        var index = 0
        look: while index < runs.count, index < limit {
            let run = runs[index]
            if run.idle.touchedAt > idleSince, run.isOpen, !run.hasLeft {
                // Those behind it were listed later still.
                if busy.count == Self.busyLimit { break look }
                busy.append(run)
            } else {
                run.idle.isWatched = false
                if !run.hasLeft { idle.append(run) }
            }
            index += 1
        }
        let isPartial = index == limit && index < runs.count
        if index > 0 {
            runs.removeFirst(index)
            runs += busy
        }
        return (idle, isPartial)
    }

    mutating func removeAll() { runs = [] }

    /// Frees capacity that a burst needed.
    mutating func shrink() { runs = runs.filter { _ in true } }
}
