/// Exponential backoff with jitter: each step doubles the previous one up to a limit, and each delay is between half a
/// step and a whole step, so that clients that failed together do not retry together.
public struct Backoff: Sendable, Hashable {
    /// The first step.
    public let first: Duration
    /// The longest step.
    public let longest: Duration
    /// The number of delays since the last success.
    public private(set) var attempts = 0
    private var step: Duration

    /// Steps from `first`, doubling, to `longest`.
    public init(first: Duration = .milliseconds(100), longest: Duration) {
        self.first = min(first, longest)
        self.longest = longest
        step = self.first
    }

    /// The delay before the next attempt, after a failure.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let delay = step * Double.random(in: 0.5...1, using: &generator)
        attempts += 1
        step = step < longest / 2 ? step * 2 : longest
        return delay
    }

    /// The delay before the next attempt, with the system's random numbers.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// Starts over from the first step, after a success.
    public mutating func reset() { self = Backoff(first: first, longest: longest) }
}
