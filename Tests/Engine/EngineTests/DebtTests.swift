import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// What a run owes others while it is open and after it has closed.
@Suite struct DebtTests {
    @Test func childReportsItsEndToItsParent() throws {
        let stage = Stage()
        try stage.start(lineage: Samples.childLineage)
        #expect(stage.execution.durable.life == .open)
        let decision = try stage.run(Samples.complete("result"))
        let end = stage.execution.durable.lastEventID
        #expect(decision.debts == [end])
        #expect(stage.execution.durable.life == .closedWithDebts)
        #expect(stage.execution.durable.owed == [end])
        guard case .report("parent", Samples.parentRunID, let report)? = try stage.message(end) else {
            Issue.record("no report")
            return
        }
        #expect(report.initiatedEventID == 7)
        #expect(report.runID == Samples.runID)
        #expect(report.firstRunID == Samples.runID)
        #expect(report.event.eventType == .workflowExecutionCompleted)
        #expect(stage.answer(.done, to: end).outline == ["fact debtSettled \(end)"])
        #expect(stage.execution.durable.life == .done)
        #expect(try stage.message(end) == nil)
        #expect(stage.answer(.done, to: end).entries.isEmpty)
    }

    @Test func runWithoutParentIsDoneWhenItCloses() throws {
        let stage = Stage()
        try stage.start()
        #expect(try stage.run(Samples.complete()).debts == [])
        #expect(stage.execution.durable.life == .done)
    }

    @Test func closedParentEndsItsChildrenByTheirPolicies() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(
            Samples.startChild("default"),
            Samples.startChild("cancelled") { $0.parentClosePolicy = .requestCancel },
            Samples.startChild("abandoned") { $0.parentClosePolicy = .abandon },
            Samples.startChild("unconfirmed")
        )
        for id in [5, 6, 7] as [Int64] { stage.answer(.started(Samples.childRunID), to: id) }
        let decision = try stage.terminate()
        #expect(decision.debts.sorted() == [5, 6, 8])
        #expect(stage.execution.durable.owed == [5, 6, 8])
        // They are still described.
        #expect(stage.execution.durable.children.keys.sorted() == [5, 6, 7, 8])
        guard case .terminate("default", let terminate)? = try stage.message(5) else {
            Issue.record("no termination")
            return
        }
        #expect(terminate.reason == "by parent close policy")
        #expect(terminate.identity == "history-service")
        #expect(terminate.sender?.onlyChild == .initiated(5))
        guard case .cancel("cancelled", nil, let cancel)? = try stage.message(6) else {
            Issue.record("no cancel request")
            return
        }
        #expect(cancel.sender?.onlyChild == .initiated(6))
        #expect(cancel.sender?.eventID == 0)
        #expect(try stage.message(7) == nil)
        guard case .terminate("unconfirmed", _)? = try stage.message(8) else {
            Issue.record("a child that may have been started goes on")
            return
        }
        stage.answer(.done, to: 5)
        stage.answer(.refused(.workflowClosed), to: 6)
        #expect(stage.execution.durable.life == .closedWithDebts)
        stage.answer(.refused(.workflowNotFound("unconfirmed")), to: 8)
        #expect(stage.execution.durable.life == .done)
    }

    @Test func taskThatEndsTheRunSendsNothing() throws {
        let stage = Stage()
        try stage.start()
        let decision = try stage.run(
            Samples.startChild("child"),
            Samples.signalExternal("other"),
            Samples.cancelExternal("other"),
            Samples.complete()
        )
        #expect(decision.debts == [])
        #expect(stage.execution.durable.owed == [])
        #expect(stage.execution.durable.life == .done)
        #expect(stage.execution.durable.children.count == 1)
    }

    @Test func messagesThatAreNotSentDoNotOutliveTheRun() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.signalExternal("other"), Samples.cancelExternal("other"))
        #expect(stage.execution.durable.owed == [5, 6])
        try stage.terminate()
        #expect(stage.execution.durable.life == .done)
    }

    @Test func debtsAreFoundAgainAfterACrash() throws {
        let stage = Stage()
        try stage.start(lineage: Samples.childLineage)
        try stage.run(Samples.startChild("child"), Samples.signalExternal("other"), Samples.cancelExternal("other"))
        stage.answer(.started(Samples.childRunID), to: 5)
        stage.crash()
        #expect(stage.execution.durable.owed == [6, 7])
        try stage.terminate()
        let end = stage.execution.durable.lastEventID
        stage.answer(.done, to: 5)
        stage.crash()
        #expect(stage.execution.durable.owed == [end])
    }

    @Test func onlyAnExistingDebtOfAClosedRunIsSettled() throws {
        let stage = Stage()
        try stage.start(lineage: Samples.childLineage)
        func isValid(_ eventID: Int64) -> Bool {
            let fact = RecordedFact(.debtSettled(eventID: eventID), afterEventID: stage.execution.durable.lastEventID)
            return (try? stage.execution.validate(.fact(fact))) != nil
        }
        try stage.run(Samples.startChild("child"))
        #expect(!isValid(5))
        try stage.terminate()
        let end = stage.execution.durable.lastEventID
        #expect(isValid(5))
        #expect(isValid(end))
        #expect(!isValid(4))
        stage.answer(.done, to: end)
        #expect(!isValid(end))
    }
}
