/// Whether a server's thread lets calls gather before it takes the next ones.
///
/// Each time it is woken costs as much as a call, most of it because other programs have used the processor meanwhile.
/// Under load a short pause divides that among a few calls. Where calls come one by one a pause would only cost time:
/// then there is none, once a ``sample`` of them or a ``rest`` tells that a load is over. Nor is there one where more
/// waits than the thread takes at a time.
struct CallPace {
    /// Calls come often enough for a pause to gather some.
    private(set) var isBusy = false
    private var count = 0
    private var since: ContinuousClock.Instant?

    /// How long calls gather. Longer ones help no more, and it is added to what a call takes.
    static let pause = Duration.milliseconds(1)
    /// So many calls are looked at together.
    static let sample = 128
    /// Below so many calls a millisecond nothing waits. In the benchmark five sagas at a time bring 2.7, one brings
    /// 1.6.
    static let busy = 3.0

    /// When nothing happens for so long, a load is over. Longer than a flush to disk, for which all may have to wait.
    static let rest = Duration.milliseconds(100)

    /// So long nothing has happened.
    mutating func waited(_ time: Duration) {
        guard isBusy, time >= Self.rest else { return }
        isBusy = false
        since = nil
    }

    /// A call has come.
    ///
    /// - Parameter now: asked for one call in ``sample``.
    mutating func came(at now: () -> ContinuousClock.Instant) {
        count += 1
        guard count >= Self.sample || since == nil else { return }
        let now = now()
        if let since { isBusy = Double(count) >= Self.busy * (since.duration(to: now) / .milliseconds(1)) }
        since = now
        count = 0
    }
}
