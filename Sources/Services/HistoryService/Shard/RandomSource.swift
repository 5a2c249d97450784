internal import SagamoreEngine

/// Fast chance for ids and nonces: xoshiro256**. Not for secrets.
package struct RandomSource: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// - Parameter seed: not all zero.
    package init(seed: (UInt64, UInt64, UInt64, UInt64)) {
        state = seed
    }

    static func fromSystem() -> RandomSource {
        var system = SystemRandomNumberGenerator()
        return RandomSource(seed: (system.next() | 1, system.next(), system.next(), system.next()))
    }

    package mutating func next() -> UInt64 {
        func rotated(_ value: UInt64, _ by: UInt64) -> UInt64 { value << by | value >> (64 - by) }
        let result = rotated(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, 45)
        return result
    }

    /// An id that is newer than `previous`, whatever the clock says: the newest run is found by its id.
    mutating func runID(at now: Instant, after previous: RunID?) -> RunID {
        let id = RunID(at: now, random: (next(), next()))
        guard let previous, id <= previous else { return id }
        let milliseconds = Int64(previous.high >> 16) + 1
        return RunID(at: Instant(nanoseconds: milliseconds * 1_000_000), random: (next(), next()))
    }
}
