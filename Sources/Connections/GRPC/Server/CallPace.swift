/// Decides whether the server's thread pauses so that calls gather before it reads them.
///
/// A wakeup costs as much as a call, mostly because other programs have used the processor in the meantime. Under load,
/// a short pause spreads that cost over several calls. Without load it would only add latency, so the pause stops once
/// a ``sample`` of calls or a ``rest`` shows that the load is over. There is no pause while more input waits than the
/// thread reads at a time.
struct CallPace {
    /// Whether calls arrive often enough for a pause to gather several.
    private(set) var isBusy = false
    private var count = 0
    private var since: ContinuousClock.Instant?

    /// How long calls gather. A longer pause saves no more, and every call waits for it.
    static let pause = Duration.milliseconds(1)
    /// The number of calls over which the rate is measured.
    static let sample = 128
    /// The rate in calls per millisecond from which on calls gather. In the benchmark, five concurrent sagas make 2.7,
    /// one makes 1.6.
    static let busy = 3.0

    /// A load is over after this long without input. Longer than a flush to disk, for which all calls may wait.
    static let rest = Duration.milliseconds(100)

    /// Nothing has arrived for this long.
    mutating func waited(_ time: Duration) {
        guard isBusy, time >= Self.rest else { return }
        isBusy = false
        since = nil
    }

    /// A call has arrived.
    ///
    /// - Parameter now: evaluated for one call in each ``sample``.
    mutating func callArrived(at now: () -> ContinuousClock.Instant) {
        count += 1
        guard count >= Self.sample || since == nil else { return }
        let now = now()
        if let since { isBusy = Double(count) >= Self.busy * (since.duration(to: now) / .milliseconds(1)) }
        since = now
        count = 0
    }
}
