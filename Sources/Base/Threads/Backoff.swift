/// Delays between attempts: each step is twice the one before, up to a limit, and each delay lies between half a step
/// and the whole, so that those who failed together do not come back together.
public struct Backoff: Sendable, Hashable {
    /// The first step.
    public let first: Duration
    /// The longest step.
    public let longest: Duration
    /// Delays given since the last success.
    public private(set) var attempts = 0
    private var step: Duration

    /// Steps from `first`, doubling, to `longest`.
    public init(first: Duration = .milliseconds(100), longest: Duration) {
        self.first = min(first, longest)
        self.longest = longest
        step = self.first
    }

    /// The delay before the next attempt, after one more has failed.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let delay = step * Double.random(in: 0.5...1, using: &generator)
        attempts += 1
        step = step < longest / 2 ? step * 2 : longest
        return delay
    }

    /// The same with the system's random numbers.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// An attempt has succeeded: the next delay comes from the first step.
    public mutating func reset() { self = Backoff(first: first, longest: longest) }
}
