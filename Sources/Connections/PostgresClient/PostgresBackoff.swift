/// How long to wait before the next try: doubling delays with a random part that the caller supplies.
public struct PostgresBackoff: Sendable, Hashable {
    /// The first delay before its random part is taken off.
    public let first: Duration
    /// The longest delay.
    public let longest: Duration
    /// Failed tries since the last `reset`.
    public private(set) var attempts = 0
    private var delay: Duration

    /// Delays from `first`, doubling, to `longest`.
    public init(first: Duration = .milliseconds(100), longest: Duration = .seconds(5)) {
        self.first = min(first, longest)
        self.longest = longest
        delay = self.first
    }

    /// The delay after one more failure. `jitter`, 0 to 1, spreads it between half and all of the step, so that many
    /// that failed together do not come back together.
    public mutating func next(jitter: Double) -> Duration {
        let result = delay * (0.5 + min(max(jitter, 0), 1) / 2)
        attempts += 1
        delay = min(delay * 2, longest)
        return result
    }

    /// A try went well: the next failure starts from `first`.
    public mutating func reset() {
        attempts = 0
        delay = first
    }
}
