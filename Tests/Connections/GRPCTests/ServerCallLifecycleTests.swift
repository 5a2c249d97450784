import Testing

@testable import SagamoreGRPC

/// The lifecycle of a call, event by event.
@Suite struct ServerCallLifecycleTests {
    @Test func onlyTheFirstAnswerCounts() {
        var life = ServerCallLifecycle()
        #expect(life.answer(outcome: { _ in }) != nil)
        #expect(life.answer(outcome: nil) == nil)
        #expect(life.sent() != nil)
        #expect(life.answer(outcome: nil) == nil)
        #expect(life.sent() == nil)
    }

    @Test func anUndeliveredAnswerIsReportedOnce() {
        var life = ServerCallLifecycle()
        _ = life.answer(outcome: { _ in })
        let effects = life.cancel()
        #expect(effects.outcome != nil && effects.cancelHandlers.isEmpty)
        #expect(life.cancel().outcome == nil)
        #expect(life.sent() == nil)
    }

    @Test func aCancellationReturnsTheHandlersOnce() {
        var life = ServerCallLifecycle()
        #expect(life.watch {} == false)
        #expect(life.watch {} == false)
        let effects = life.cancel()
        #expect(effects.cancelHandlers.count == 2 && effects.outcome == nil)
        #expect(life.cancel().cancelHandlers.isEmpty)
    }

    @Test func aLateHandlerRunsAtOnceUnlessTheCallWasAnswered() {
        var life = ServerCallLifecycle()
        _ = life.cancel()
        #expect(life.watch {} == true)
        #expect(life.answer(outcome: nil) == nil)
        #expect(life.watch {} == false)
    }

    @Test func anAnswerReturnsTheHandlers() {
        var life = ServerCallLifecycle()
        _ = life.watch {}
        #expect(life.answer(outcome: nil)?.count == 1)
        #expect(life.watch {} == false)
        #expect(life.cancel().cancelHandlers.isEmpty)
    }
}
