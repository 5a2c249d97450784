internal import SagamoreEngine

/// What idleness is reckoned from.
struct IdleMark {
    /// The run was last used then.
    fileprivate(set) var touchedAt: Instant
    /// It stands in the list of runs that may go idle.
    fileprivate(set) var isWatched = false

    init(touchedAt: Instant) {
        self.touchedAt = touchedAt
    }
}

/// What `IdleRuns` has to know of a run.
protocol IdleCandidate: AnyObject {
    var idle: IdleMark { get set }
    /// It is out of memory already.
    var hasLeft: Bool { get }
    /// It is open: one that has closed may leave without having been idle.
    var isOpen: Bool { get }
}

/// The runs that may go idle, in the order in which they were listed. Each stands there once.
///
/// A run that is touched keeps its place and goes behind the others when it is looked at, so being used costs nothing.
struct IdleRuns<Run: IdleCandidate> {
    /// Runs that were touched since they were listed and that one look may put behind the others.
    static var busyLimit: Int { 1_000 }

    private var runs: [Run] = []

    var count: Int { runs.count }

    mutating func touch(_ run: Run, at now: Instant) {
        run.idle.touchedAt = now
        watch(run)
    }

    /// Looks at a run again later.
    mutating func watch(_ run: Run) {
        guard !run.idle.isWatched else { return }
        run.idle.isWatched = true
        runs.append(run)
    }

    /// Takes the runs out that may leave memory, of at most so many in front. The caller lists those again that can't.
    ///
    /// - Returns: the runs, and whether there are more than were looked at.
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

    /// Gives capacity back that a burst has needed.
    mutating func shrink() { runs = runs.filter { _ in true } }
}
