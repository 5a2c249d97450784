internal import SagamoreEngine
internal import SagamorePersistence

/// Decides which closed runs to look at for deletion. Run ids are in order of their start, so a window of ids is a
/// window of time.
///
/// A run that ended soon after its start is due about one retention after it: every pass looks at the last hour of what
/// is due. Runs that were open for longer are behind that window; a full pass finds them once an hour. So a pass does
/// not walk all that namespaces with a longer retention keep.
struct RetentionPlan {
    /// Namespaces of one retention, and which of their runs to look at.
    struct Window: Equatable {
        let namespaces: [Int32]
        let retention: Interval
        /// Runs with higher ids.
        var after: RunID
        /// Runs with lower ids.
        let before: RunID
    }

    /// How long a run may have been open to be found at once.
    static let recent = Interval.seconds(3_600)
    static let fullPassPeriod = Interval.seconds(3_600)

    private var windows: [Window] = []
    private var fullPassAt = Instant.distantPast

    /// What to look at next; nil when the pass is over.
    var next: Window? { windows.last }

    /// Begins a pass, unless one is under way.
    ///
    /// - Parameters:
    ///   - now: by the clock of histories.
    ///   - steady: by the clock that does not jump.
    mutating func begin(_ retentions: [Int32: Interval], at now: Instant, steady: Instant) {
        guard windows.isEmpty else { return }
        let isFull = steady >= fullPassAt
        if isFull { fullPassAt = steady + Self.fullPassPeriod }
        let namespaces = Dictionary(grouping: retentions.keys, by: { retentions[$0] ?? .zero })
        // Nothing is older than the beginning of time that run ids know.
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

    /// A step of `next` was carried out. `last` is where it stopped; nil: it looked at all of the window.
    mutating func advance(past last: RunID?) {
        guard let last else {
            windows.removeLast()
            return
        }
        windows[windows.count - 1].after = last
    }
}
