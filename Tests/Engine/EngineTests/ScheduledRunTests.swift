import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// What a run owes the schedule that started its chain.
@Suite struct ScheduledRunTests {
    @Test func theLastRunTellsTheScheduleHowItEnded() throws {
        let stage = Stage()
        try stage.start(lineage: Samples.scheduledLineage)
        #expect(try stage.message(1) == nil)
        let decision = try stage.run(Samples.complete("result"))
        let end = stage.execution.durable.lastEventID
        #expect(decision.debts == [end])
        #expect(stage.execution.durable.life == .closedWithDebts)
        guard case .reportToSchedule(let report)? = try stage.message(end) else {
            Issue.record("no report")
            return
        }
        #expect(report.schedule == Samples.scheduledLineage.schedule)
        #expect(report.workflowID == Samples.key.workflowID)
        #expect(report.firstRunID == Samples.runID)
        #expect(report.event.eventType == .workflowExecutionCompleted)
        #expect(stage.answer(.done, to: end).outline == ["fact debtSettled \(end)"])
        #expect(stage.execution.durable.life == .done)
    }

    @Test func aRunThatIsContinuedLeavesItToTheNextOne() throws {
        let stage = Stage()
        try stage.start(lineage: Samples.scheduledLineage)
        let decision = try stage.run(Samples.continueAsNew())
        #expect(stage.execution.durable.life == .done)
        let successor = try #require(decision.successor)
        #expect(successor.start.lineage.schedule == Samples.scheduledLineage.schedule)
    }

    @Test func aResetLeavesItToTheNewRun() throws {
        let stage = Stage()
        try stage.start(lineage: Samples.scheduledLineage)
        try stage.run(Samples.schedule("a"))
        let ended = stage.execution.decideEnd(for: try Samples.reset(at: 4), handsOver: true, at: stage.now)
        #expect(ended.debts.isEmpty)
        stage.apply(ended)
        #expect(stage.execution.durable.life == .done)
    }
}
