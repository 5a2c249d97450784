internal import SagamoreEngine
internal import SagamorePersistence

/// Decides which closed runs to check for deletion. Run ids are ordered by the runs' start, so a window of ids is a
/// window of time.
///
/// A run that closed soon after its start is due about one retention after its start. So each pass checks only the hour
/// that has just become due. A full pass, once an hour, finds the runs that were open for longer. So most passes do not
/// walk the runs of namespaces with a longer retention.
struct RetentionPlan {
    /// Namespaces with the same retention, and which of their runs to check.
    struct Window: Equatable {
        let namespaces: [Int32]
        let retention: Interval
        /// Only runs with higher ids.
        var after: RunID
        /// Only runs with lower ids.
        let before: RunID
    }

    /// A run that was open for at most this long is found by each pass, others by a full pass.
    static let recent = Interval.seconds(3_600)
    static let fullPassPeriod = Interval.seconds(3_600)

    private var windows: [Window] = []
    private var fullPassAt = Instant.distantPast

    /// What to check next; nil when the pass is over.
    var next: Window? { windows.last }

    /// Begins a pass, unless one is under way.
    ///
    /// - Parameters:
    ///   - now: the time of the wall clock.
    ///   - steady: the time of the steady clock.
    mutating func begin(_ retentions: [Int32: Interval], at now: Instant, steady: Instant) {
        guard windows.isEmpty else { return }
        let isFull = steady >= fullPassAt
        if isFull { fullPassAt = steady + Self.fullPassPeriod }
        let namespaces = Dictionary(grouping: retentions.keys, by: { retentions[$0] ?? .zero })
        // A longer retention reaches back beyond the earliest time that a run id can have.
        let oldest = now - Instant(nanoseconds: 0)
        windows = namespaces.filter { $0.key.isSet && $0.key < oldest }.map { retention, namespaces in
            let end = now + Interval(nanoseconds: -retention.nanoseconds)
            let start = max(end + Interval(nanoseconds: -Self.recent.nanoseconds), Instant(nanoseconds: 0))
            return Window(
                namespaces: namespaces.sorted(),
                retention: retention,
                after: isFull ? RunID(high: 0, low: 0) : RunID(at: start, random: (0, 0)),
                before: RunID(at: end, random: (0, 0))
            )
        }
        windows.sort { $0.retention > $1.retention }
    }

    /// A step in the window `next` ended at the run `last`; nil if the whole window was checked.
    mutating func advance(past last: RunID?) {
        guard let last else {
            windows.removeLast()
            return
        }
        windows[windows.count - 1].after = last
    }
}
