/// Growing pauses between attempts: 0.1 s, then 1.6 times as much each time, up to a limit, each scattered so that those
/// who failed together do not come back together.
struct Backoff: Sendable {
    private static let first = Duration.milliseconds(100)

    private var next = Backoff.first
    let longest: Duration

    /// Whether an attempt has failed since the last success.
    var isGrown: Bool { next > Self.first }

    init(longest: Duration) { self.longest = longest }

    /// The pause before the next attempt. `chance` is from 0 to 1.
    mutating func pause(_ chance: Double) -> Duration {
        let pause = next * (0.8 + 0.4 * chance)
        next = min(next * 1.6, longest)
        return pause
    }

    /// An attempt succeeded.
    mutating func reset() { self = Backoff(longest: longest) }
}
