internal import SagamoreEngine

/// What a run records about its use.
struct IdleMark {
    /// When the run was last used.
    fileprivate(set) var touchedAt: Instant
    /// Whether the run is listed in `IdleRuns`.
    fileprivate(set) var isWatched = false

    init(touchedAt: Instant) {
        self.touchedAt = touchedAt
    }
}

/// What `IdleRuns` needs to know about a run.
protocol IdleCandidate: AnyObject {
    var idle: IdleMark { get set }
    /// Whether the run has already left memory.
    var hasLeft: Bool { get }
    /// Whether the run is open. A closed run may leave memory without having been idle.
    var isOpen: Bool { get }
}

/// The runs that may go idle, each once, in the order in which they were listed.
///
/// Using a run does not move it, so use costs nothing. When its turn comes, a run that was used moves to the end.
struct IdleRuns<Run: IdleCandidate> {
    /// How many busy runs one call of `take` moves to the end.
    static var busyLimit: Int { 1_000 }

    private var runs: [Run] = []

    var count: Int { runs.count }

    mutating func touch(_ run: Run, at now: Instant) {
        run.idle.touchedAt = now
        watch(run)
    }

    /// Lists a run.
    mutating func watch(_ run: Run) {
        guard !run.idle.isWatched else { return }
        run.idle.isWatched = true
        runs.append(run)
    }

    /// Checks the first `limit` runs and removes the idle ones. The caller lists those again that cannot leave memory.
    ///
    /// - Returns: the removed runs, and whether there are more than `limit`.
    mutating func take(idleSince: Instant, limit: Int) -> (idle: [Run], isPartial: Bool) {
        var idle: [Run] = []
        var busy: [Run] = []
        var index = 0
        look: while index < runs.count, index < limit {
            let run = runs[index]
            if run.idle.touchedAt > idleSince, run.isOpen, !run.hasLeft {
                // The runs behind it were listed even later.
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
