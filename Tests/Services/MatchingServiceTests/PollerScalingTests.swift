import SagamoreEngine
import Testing

@testable import SagamoreMatchingService

/// What workers are told of the number of their polls.
@Suite struct PollerScalingTests {
    private static let noon = Instant(nanoseconds: 1_000_000_000_000)

    private func delta(
        _ scaling: inout PollerScaling,
        pollWaited: Interval = .zero,
        taskWaited: Interval = .zero,
        backlog: Int = 0,
        polls: Int = 0,
        added: Double = 1,
        dispatched: Double = 1,
        at now: Instant = noon
    ) -> Int32 {
        scaling.delta(pollWaited: pollWaited, taskWaited: taskWaited, polls: polls, at: now) {
            PollerScaling.Queue(backlog: backlog, rates: (added, dispatched))
        }
    }

    @Test func aPollThatWaitedForLongIsOneTooMany() {
        var scaling = PollerScaling()
        #expect(delta(&scaling, pollWaited: .milliseconds(999)) == 0)
        #expect(delta(&scaling, pollWaited: .seconds(1)) == -1)
        // Whatever else is known, and as often as it happens.
        #expect(delta(&scaling, pollWaited: .seconds(1), taskWaited: .seconds(9), backlog: 9) == -1)
    }

    @Test func tasksThatWaitNeedMorePolls() {
        var scaling = PollerScaling()
        #expect(delta(&scaling, taskWaited: .milliseconds(201), backlog: 1) == 1)
        scaling = PollerScaling()
        #expect(delta(&scaling, taskWaited: .milliseconds(200), backlog: 1) == 0)
        scaling = PollerScaling()
        #expect(delta(&scaling, taskWaited: .seconds(9), backlog: 0) == 0, "it was the last one")
    }

    @Test func aQueueThatGrowsNeedsMorePolls() {
        var scaling = PollerScaling()
        #expect(delta(&scaling, added: 121, dispatched: 100) == 1)
        scaling = PollerScaling()
        #expect(delta(&scaling, added: 119, dispatched: 100) == 0)
    }

    @Test func morePollsAreSuggestedNowAndThen() {
        var scaling = PollerScaling()
        func ask(_ milliseconds: Int64, polls: Int = 0) -> Int32 {
            delta(
                &scaling,
                taskWaited: .seconds(1),
                backlog: 5,
                polls: polls,
                at: Self.noon + .milliseconds(milliseconds)
            )
        }
        #expect(ask(0) == 1)
        #expect(ask(99) == 0)
        #expect(ask(100) == 1)
        #expect(ask(120, polls: 10) == 1, "ten polls are told ten times as often")
    }
}
