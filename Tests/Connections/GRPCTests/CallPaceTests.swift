import Testing

@testable import SagamoreGRPCServer

/// When calls gather before they are taken.
@Suite struct CallPaceTests {
    /// A pace after calls that came so far apart, and the time of the last one.
    private func pace(_ count: Int, every gap: Duration) -> (CallPace, ContinuousClock.Instant) {
        var pace = CallPace()
        var now = ContinuousClock.now
        for _ in 0..<count {
            now += gap
            pace.callArrived { now }
        }
        return (pace, now)
    }

    @Test func callsThatComeOneByOneDontWait() {
        #expect(!pace(1_000, every: .microseconds(400)).0.isBusy)
    }

    @Test func callsThatComeOftenDo() {
        #expect(pace(1_000, every: .microseconds(300)).0.isBusy)
    }

    @Test func aFewTellNothing() {
        #expect(!pace(CallPace.sample, every: .nanoseconds(1)).0.isBusy)
    }

    @Test func itEndsWithTheLoad() {
        var (pace, now) = pace(1_000, every: .microseconds(10))
        #expect(pace.isBusy)
        // The first of these may still be counted with those that came often.
        for _ in 0..<(2 * CallPace.sample) {
            now += .milliseconds(1)
            pace.callArrived { now }
        }
        #expect(!pace.isBusy)
    }

    @Test func aRestEndsIt() {
        var (pace, now) = pace(1_000, every: .microseconds(10))
        pace.waited(CallPace.rest - .nanoseconds(1))
        #expect(pace.isBusy)
        pace.waited(CallPace.rest)
        #expect(!pace.isBusy)
        // The calls of the next load are counted from its first.
        for _ in 0...CallPace.sample {
            now += .microseconds(10)
            pace.callArrived { now }
        }
        #expect(pace.isBusy)
    }

    /// The clock is read once for many calls, and calls of one moment are no division by nothing.
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
