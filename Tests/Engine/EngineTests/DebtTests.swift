import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// What a run owes others while it is open and after it has closed.
@Suite struct DebtTests {
    private static func debt(_ eventID: Int64) -> Debt { Debt(eventID: eventID, .reportToParent(details: [7])) }

    private static func isValid(_ fact: Fact, in stage: Stage) -> Bool {
        let fact = RecordedFact(fact, afterEventID: stage.execution.durable.lastEventID)
        return (try? stage.execution.validate(.fact(fact))) != nil
    }

    private func write(_ fact: Fact, _ stage: Stage) {
        #expect(Self.isValid(fact, in: stage))
        stage.apply(Samples.decision(fact, on: stage.execution))
    }

    @Test func closedRunIsDoneOnceItsDebtsAreSettled() throws {
        let stage = Stage()
        try stage.start()
        #expect(stage.execution.durable.life == .open)
        write(.debtIncurred(Self.debt(1)), stage)
        #expect(stage.execution.durable.life == .open)
        try stage.terminate()
        let end = stage.execution.durable.lastEventID
        #expect(stage.execution.durable.life == .closedWithDebts)
        write(.debtIncurred(Self.debt(end)), stage)
        write(.debtSettled(eventID: 1), stage)
        #expect(stage.execution.durable.life == .closedWithDebts)
        #expect(stage.execution.durable.debts == [end: Self.debt(end)])
        write(.debtSettled(eventID: end), stage)
        #expect(stage.execution.durable.life == .done)
    }

    @Test func runWithoutDebtsIsDoneWhenItCloses() throws {
        let stage = Stage()
        try stage.start()
        write(.debtIncurred(Self.debt(1)), stage)
        write(.debtSettled(eventID: 1), stage)
        try stage.run(Samples.complete())
        #expect(stage.execution.durable.life == .done)
    }

    @Test func eachDebtHasItsOwnEvent() throws {
        let stage = Stage()
        try stage.start()
        let last = stage.execution.durable.lastEventID
        write(.debtIncurred(Self.debt(1)), stage)
        for id in [1, 0, -1, last + 1] { #expect(!Self.isValid(.debtIncurred(Self.debt(id)), in: stage), "\(id)") }
        let empty = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
        let first = RecordedFact(.debtIncurred(Self.debt(1)), afterEventID: 0)
        #expect(throws: InvalidEntry.self) { try empty.validate(.fact(first)) }
    }

    @Test func onlyAnExistingDebtIsSettled() throws {
        let stage = Stage()
        try stage.start()
        #expect(!Self.isValid(.debtSettled(eventID: 1), in: stage))
        write(.debtIncurred(Self.debt(1)), stage)
        write(.debtSettled(eventID: 1), stage)
        #expect(!Self.isValid(.debtSettled(eventID: 1), in: stage))
    }

    @Test func closedRunIncursDebtsOnlyForItsLastEvent() throws {
        let stage = Stage()
        try stage.start()
        try stage.terminate()
        let end = stage.execution.durable.lastEventID
        #expect(!Self.isValid(.debtIncurred(Self.debt(end - 1)), in: stage))
        #expect(Self.isValid(.debtIncurred(Self.debt(end)), in: stage))
    }
}
