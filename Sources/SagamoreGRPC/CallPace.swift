/// Whether a completion thread lets calls gather before it takes the next ones.
///
/// Each time it is woken costs as much as a call, most of it because other programs have used the processor meanwhile.
/// Under load a short pause divides that among a few calls. Where calls come one by one a pause would only cost time:
/// then there is none. Nor is there one where more calls wait than the thread can take: it pauses with an empty queue only.
struct CallPace {
    /// Calls come often enough for a pause to gather some.
    private(set) var isBusy = false
    private var count = 0
    private var since: Int64?

    /// How long calls gather. Longer ones help no more, and it is added to what a call takes.
    static let pause = Duration.microseconds(500)
    /// So many calls are looked at together.
    static let sample = 128
    /// Below so many calls a millisecond nothing waits. Five sagas at a time bring 2.7 here, one brings 1.6.
    static let busy = 3.0

    /// A call has come.
    ///
    /// - Parameter now: nanoseconds by a clock that never goes back; read for one call in ``sample``.
    mutating func came(at now: () -> Int64) {
        count += 1
        guard count >= Self.sample || since == nil else { return }
        let now = now()
        if let since { isBusy = Double(count) * 1_000_000 >= Self.busy * Double(max(1, now - since)) }
        since = now
        count = 0
    }
}
