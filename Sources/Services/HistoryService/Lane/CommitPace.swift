internal import SagamoreEngine

/// How long a lane lets items gather before it commits them.
///
/// A transaction costs some 300 microseconds of CPU however small it is, most of it for the flush to disk. Under load,
/// a short wait shares that cost among many items. When items come one at a time, a wait would only add latency, so
/// there is none. Neither is there one for a workflow that now and then takes a step beside a few that never rest: its
/// items are committed at once, with all that has gathered.
struct CommitPace {
    /// The smoothed number of items per millisecond.
    private(set) var arrivals = 0.0
    /// Those among them that no busy family has brought.
    private(set) var calmArrivals = 0.0
    private var lastTake = Instant.distantPast

    /// The size of a batch from which waiting for more does not pay.
    static let worthwhile = 16.0
    /// The longest wait.
    static let longest = Interval.milliseconds(8)
    /// When no item comes for this long, callers that could add more wait for the gathered items.
    static let lull = Interval.milliseconds(1)
    /// Below this many items a millisecond, there is no wait. A saga that runs alone brings one or fewer.
    static let busy = 1.0

    /// Whether calm items gather, too: there are many workflows.
    var gathersCalmItems: Bool { calmArrivals >= Self.busy }

    /// How long to let items gather, counted from the last batch.
    var pause: Interval {
        guard arrivals >= Self.busy else { return .zero }
        let wished = Interval(nanoseconds: Int64(Self.worthwhile / arrivals * 1_000_000))
        return min(wished, Self.longest)
    }

    /// How long to wait now, before the next batch is taken.
    func wait(at now: Instant) -> Interval {
        let pause = pause
        guard pause.isSet, lastTake != .distantPast else { return .zero }
        return min(max(.zero, lastTake + pause - now), Self.longest)
    }

    /// A batch was taken.
    mutating func took(_ count: Int, calm: Int, at now: Instant) {
        defer { lastTake = now }
        guard lastTake != .distantPast else { return }
        let milliseconds = max(Double((now - lastTake).nanoseconds) / 1_000_000, 0.05)
        // The half-life is about 10 ms.
        let weight = min(1, milliseconds / 15)
        arrivals += (Double(count) / milliseconds - arrivals) * weight
        calmArrivals += (Double(calm) / milliseconds - calmArrivals) * weight
    }
}
