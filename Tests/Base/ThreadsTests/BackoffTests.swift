import SagamoreThreads
import Testing

@Suite struct BackoffTests {
    /// SplitMix64: the same numbers for the same seed.
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @Test func delaysLieBetweenHalfAStepAndTheWhole() {
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(state: seed)
            var backoff = Backoff(first: .milliseconds(100), longest: .seconds(5))
            var step = 100.0
            for attempt in 1...40 {
                let delay = backoff.next(using: &generator) / .milliseconds(1)
                #expect(delay >= step / 2 - 0.001 && delay <= step + 0.001, "attempt \(attempt) with seed \(seed)")
                #expect(backoff.attempts == attempt)
                step = min(step * 2, 5_000)
            }
        }
    }

    @Test func delaysAreSpreadOverTheWholeRange() {
        var generator = SeededGenerator(state: 1)
        var backoff = Backoff(first: .seconds(4), longest: .seconds(4))
        var quarters = [0, 0]
        for _ in 0..<400 {
            let delay = backoff.next(using: &generator)
            quarters[delay < .seconds(3) ? 0 : 1] += 1
        }
        #expect(quarters[0] > 150 && quarters[1] > 150)
    }

    @Test func theSameSeedGivesTheSameDelays() {
        var (one, other) = (SeededGenerator(state: 9), SeededGenerator(state: 9))
        var (left, right) = (Backoff(longest: .seconds(1)), Backoff(longest: .seconds(1)))
        for _ in 0..<10 { #expect(left.next(using: &one) == right.next(using: &other)) }
    }

    @Test func resetBeginsAnew() {
        var backoff = Backoff(first: .milliseconds(10), longest: .seconds(60))
        for _ in 0..<6 { _ = backoff.next() }
        backoff.reset()
        #expect(backoff.attempts == 0)
        #expect(backoff == Backoff(first: .milliseconds(10), longest: .seconds(60)))
        #expect(backoff.next() <= .milliseconds(10))
    }

    @Test func aFirstStepBeyondTheLongestIsCut() {
        var backoff = Backoff(first: .seconds(60), longest: .seconds(1))
        for _ in 0..<5 { #expect(backoff.next() <= .seconds(1)) }
        var endless = Backoff(first: .seconds(1), longest: .seconds(Int64.max))
        for _ in 0..<200 { #expect(endless.next() >= .milliseconds(500)) }
    }
}
