import Testing

@testable import SagamoreGRPC

/// A call's life, one event after the other.
@Suite struct ServerCallLifecycleTests {
    @Test func aCallAnsweredAtOnceTakesOneBatch() {
        var life = ServerCallLifecycle()
        #expect(life.isOpen)
        #expect(life.answer(outcome: { _ in }) == .send(askingForEnd: true))
        #expect(!life.isOpen)
        let effects = life.answered(success: true, cancelled: false)
        #expect(effects.releasesCall && effects.delivered && effects.outcome != nil)
    }

    @Test func onlyTheFirstAnswerCounts() {
        var life = ServerCallLifecycle()
        #expect(life.answer(outcome: nil) == .send(askingForEnd: true))
        #expect(life.answer(outcome: nil) == .ignore)
        #expect(life.answered(success: true, cancelled: false).releasesCall)
        #expect(life.answer(outcome: nil) == .ignore)
    }

    @Test(arguments: [true, false])
    func aWatchedCallWaitsForAnswerAndEndInEitherOrder(endFirst: Bool) {
        var life = ServerCallLifecycle()
        #expect(life.watch {} == .askForEnd)
        #expect(life.watch {} == .none)
        #expect(life.answer(outcome: { _ in }) == .send(askingForEnd: false))
        let first = endFirst ? life.ended(cancelled: false) : life.answered(success: true, cancelled: false)
        #expect(!first.releasesCall && first.outcome == nil && first.cancelHandlers.isEmpty)
        let second = endFirst ? life.answered(success: true, cancelled: false) : life.ended(cancelled: false)
        #expect(second.releasesCall && second.delivered && second.outcome != nil)
    }

    @Test(arguments: [(false, false), (true, true), (false, true)])
    func anAnswerThatDidNotArriveIsSaidSo(success: Bool, cancelled: Bool) {
        var watched = ServerCallLifecycle()
        _ = watched.watch {}
        _ = watched.answer(outcome: { _ in })
        _ = watched.ended(cancelled: cancelled)
        #expect(!watched.answered(success: success, cancelled: false).delivered)
        var atOnce = ServerCallLifecycle()
        _ = atOnce.answer(outcome: { _ in })
        #expect(!atOnce.answered(success: success, cancelled: cancelled).delivered)
    }

    @Test func aCancellationRunsTheHandlersOnceAndEndsTheCall() {
        var life = ServerCallLifecycle()
        _ = life.watch {}
        _ = life.watch {}
        let effects = life.ended(cancelled: true)
        #expect(effects.cancelHandlers.count == 2 && effects.releasesCall)
        #expect(!life.isOpen)
        #expect(life.watch {} == .runHandler)
        #expect(life.answer(outcome: nil) == .ignore)
        #expect(life.watch {} == .none)
    }

    @Test func handlersAreForgottenWithTheAnswer() {
        var life = ServerCallLifecycle()
        _ = life.watch {}
        _ = life.answer(outcome: nil)
        #expect(life.watch {} == .none)
        #expect(life.ended(cancelled: true).cancelHandlers.isEmpty)
    }

    @Test func anAbandonedCallIsReleasedOnce() {
        var silent = ServerCallLifecycle()
        #expect(silent.abandon().releasesCall)
        #expect(!silent.abandon().releasesCall)
        #expect(silent.answer(outcome: nil) == .ignore)
        // A watched one is released when its end comes, even if somebody answers in between.
        var watched = ServerCallLifecycle()
        _ = watched.watch {}
        let effects = watched.abandon()
        #expect(!effects.releasesCall && effects.cancelHandlers.count == 1)
        #expect(watched.answer(outcome: nil) == .ignore)
        let last = watched.ended(cancelled: true)
        #expect(last.releasesCall && last.cancelHandlers.isEmpty)
    }

    @Test func anAnsweredCallIsNotAbandoned() {
        var life = ServerCallLifecycle()
        _ = life.answer(outcome: nil)
        let effects = life.abandon()
        #expect(!effects.releasesCall && effects.cancelHandlers.isEmpty)
        #expect(life.answered(success: true, cancelled: true).releasesCall)
    }
}
