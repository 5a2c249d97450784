import Testing

@testable import SagamoreGRPC

/// When calls gather before they are read.
@Suite struct CallPaceTests {
    /// A pace after `count` calls with the same gap, and the time of the last call.
    private func pace(_ count: Int, every gap: Duration) -> (CallPace, ContinuousClock.Instant) {
        var pace = CallPace()
        var now = ContinuousClock.now
        for _ in 0..<count {
            now += gap
            pace.callArrived { now }
        }
        return (pace, now)
    }

    @Test func rareCallsDoNotGather() {
        #expect(!pace(1_000, every: .microseconds(400)).0.isBusy)
    }

    @Test func frequentCallsGather() {
        #expect(pace(1_000, every: .microseconds(300)).0.isBusy)
    }

    @Test func aFewCallsAreNoLoad() {
        #expect(!pace(CallPace.sample, every: .nanoseconds(1)).0.isBusy)
    }

    @Test func gatheringEndsWithTheLoad() {
        var (pace, now) = pace(1_000, every: .microseconds(10))
        #expect(pace.isBusy)
        // The first sample may still include frequent calls.
        for _ in 0..<(2 * CallPace.sample) {
            now += .milliseconds(1)
            pace.callArrived { now }
        }
        #expect(!pace.isBusy)
    }

    @Test func anIdlePeriodEndsGathering() {
        var (pace, now) = pace(1_000, every: .microseconds(10))
        pace.waited(CallPace.rest - .nanoseconds(1))
        #expect(pace.isBusy)
        pace.waited(CallPace.rest)
        #expect(!pace.isBusy)
        // Sampling starts again with the first call of the next load.
        for _ in 0...CallPace.sample {
            now += .microseconds(10)
            pace.callArrived { now }
        }
        #expect(pace.isBusy)
    }

    /// The clock is read once per sample, and calls without a gap cause no division by zero.
    @Test func theClockIsReadRarely() {
        var pace = CallPace()
        var reads = 0
        let moment = ContinuousClock.now
        for _ in 0..<(1 + 10 * CallPace.sample) {
            pace.callArrived {
                reads += 1
                return moment
            }
        }
        #expect(reads == 11)
        #expect(pace.isBusy)
    }
}
