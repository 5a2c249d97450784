internal import SagamoreEngine

/// Decides when a shard's tables shrink. They keep the capacity that a burst needed. After far fewer runs have been in
/// memory for a while, it is freed.
struct TableRelief {
    /// Below this peak, shrinking is not worth the copies.
    static let peakMinimum = 1_000
    /// How long the number of runs has to stay low.
    static let quiet = Interval.seconds(10)

    private var peak = 0
    private var lowSince: Instant?

    /// - Parameters:
    ///   - runs: the number of runs in memory.
    ///   - now: the time of the steady clock.
    mutating func isDue(runs: Int, at now: Instant) -> Bool {
        peak = max(peak, runs)
        guard peak >= Self.peakMinimum, runs < peak / 4 else {
            lowSince = nil
            return false
        }
        let since = lowSince ?? now
        lowSince = since
        guard now - since >= Self.quiet else { return false }
        peak = runs
        lowSince = nil
        return true
    }
}
