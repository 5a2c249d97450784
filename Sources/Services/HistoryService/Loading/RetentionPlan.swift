internal import SagamoreEngine
internal import SagamorePersistence

/// Decides which closed runs to check for deletion. Run ids are ordered by the runs' start, so a window of ids is a
/// window of time.
///
/// A run that closed soon after its start is due about one retention after its start. So each pass checks only the hour
/// that has just become due. A full pass, once an hour, finds the runs that were open for longer. So most passes do not
/// walk the runs of namespaces with a longer retention. A namespace whose retention has become shorter gets a full pass
/// at once.
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

    /// Namespaces that are checked together.
    private struct Group: Hashable {
        let retention: Interval
        let isFull: Bool
    }

    /// A run that was open for at most this long is found by each pass, others by a full pass.
    static let recent = Interval.seconds(3_600)
    static let fullPassPeriod = Interval.seconds(3_600)

    private var windows: [Window] = []
    /// The retentions of the last pass.
    private var retentions: [Int32: Interval] = [:]
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
        // A retention that has become shorter makes runs due that are not recent.
        let groups = Dictionary(grouping: retentions.keys) { number in
            let retention = retentions[number] ?? .zero
            return Group(retention: retention, isFull: isFull || retention < self.retentions[number] ?? .zero)
        }
        self.retentions = retentions
        // A longer retention reaches back beyond the earliest time that a run id can have.
        let oldest = now - Instant(nanoseconds: 0)
        windows = groups.filter { $0.key.retention.isSet && $0.key.retention < oldest }.map { group, namespaces in
            let retention = group.retention
            let end = now + Interval(nanoseconds: -retention.nanoseconds)
            let start = max(end + Interval(nanoseconds: -Self.recent.nanoseconds), Instant(nanoseconds: 0))
            return Window(
                namespaces: namespaces.sorted(),
                retention: retention,
                after: group.isFull ? RunID(high: 0, low: 0) : RunID(at: start, random: (0, 0)),
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
