internal import SagamoreEngine

/// How long a lane lets items gather before it commits them.
///
/// A transaction costs some 300 microseconds of CPU however little it holds, most of it for the flush to disk. So under
/// load a short wait divides that among many. Where items come one by one a wait would only cost time: then there is
/// none.
struct CommitPace {
    /// Items that come within a millisecond, smoothed.
    private(set) var arrivals = 0.0
    private var lastTake = Instant.distantPast

    /// What a batch should hold before waiting for more is not worth it.
    static let worthwhile = 16.0
    /// Nothing waits longer than this.
    static let longest = Interval.milliseconds(8)
    /// When nothing comes for so long, those who would bring more wait for what is here already.
    static let lull = Interval.milliseconds(1)
    /// Below so many items a millisecond nothing waits: a saga that runs alone brings one or less.
    static let busy = 1.0

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
    mutating func took(_ count: Int, at now: Instant) {
        defer { lastTake = now }
        guard lastTake != .distantPast else { return }
        let milliseconds = max(Double((now - lastTake).nanoseconds) / 1_000_000, 0.05)
        // Half of what is remembered fades in some 10 ms.
        let weight = min(1, milliseconds / 15)
        arrivals += (Double(count) / milliseconds - arrivals) * weight
    }
}
