/// Doubling delays, spread so that many that failed together do not come back together.
struct Backoff: Sendable {
    let first: Duration
    let longest: Duration
    private var delay: Duration

    init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
        delay = first
    }

    /// The delay after one more failure. `spread`, 0 to 1, takes up to a quarter off it.
    mutating func next(spread: Double = .random(in: 0...1)) -> Duration {
        let result = delay * (1 - spread / 4)
        delay = min(delay * 2, longest)
        return result
    }

    mutating func reset() { delay = first }
}
