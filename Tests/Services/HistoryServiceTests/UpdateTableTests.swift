import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

/// The callers of updates, event by event.
@Suite struct UpdateTableTests {
    private let run = CachedRun(
        SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID),
        sequence: 1,
        startRequestID: "",
        isStored: false,
        at: Samples.noon
    )

    private func waiter(
        _ id: UInt64,
        _ update: String = "u",
        for stage: UpdateWorkflowExecutionLifecycleStage = .completed,
        isAccepted: Bool = false,
        deadline: Instant = .distantFuture,
        asksAgain: Bool = false
    ) -> UpdateWaiter {
        var followed = FollowedUpdate(id: update, stage: stage, deadline: deadline)
        if asksAgain { followed.askAgain = { error, reply in reply.fail(error) } }
        return UpdateWaiter(id: id, of: run, followed, isAccepted: isAccepted, reply: Reply { _ in })
    }

    private func texts(_ actions: [UpdateAction]) -> [String] {
        actions.map { action in
            switch action {
            case .answer(let waiter, let status):
                "answer \(waiter.id) \(status.stage)\(status.outcome == nil ? "" : " with an outcome")"
            case .fail(let waiter, let error): "fail \(waiter.id) \(error.code)"
            case .askAgain(let waiter, _): "ask \(waiter.id) again"
            }
        }
    }

    private let admitted = "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED"
    private let accepted = "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED"
    private let completed = "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED"

    private func hear(_ table: inout UpdateTable, _ decision: Decision) -> [String] {
        texts(table.heard(decision.updates, of: run.runID))
    }

    /// What a run decides about updates, as the table hears it.
    private func news(_ answers: [ProtocolMessage], closes: Bool = false) throws -> Decision {
        let stage = Stage()
        try stage.start()
        for id in ["u", "v"] { try stage.update(id) }
        try stage.pollWorkflowTask()
        return try stage.complete { request in
            request.messages = answers
            request.commands = closes ? answers.map(Samples.order) + [Samples.complete()] : []
        }
    }

    @Test func eachCallerHearsWhatItWaitsFor() throws {
        var table = UpdateTable()
        table.wait(waiter(1, for: .accepted))
        table.wait(waiter(2))
        table.wait(waiter(3, "v"))
        #expect(
            hear(&table, try news([Samples.acceptance("u"), Samples.acceptance("v")])) == ["answer 1 \(accepted)"]
        )
        #expect(table.count == 2)
        #expect(texts(table.timedOut(.distantFuture)) == ["answer 2 \(accepted)", "answer 3 \(accepted)"])
        #expect(table.count == 0)
    }

    @Test func outcomeAtOnceIsToldToThoseWhoWaitForAcceptance() throws {
        var table = UpdateTable()
        table.wait(waiter(1, for: .accepted))
        table.wait(waiter(2))
        let decision = try news([Samples.acceptance("u"), Samples.completion("u")])
        #expect(
            hear(&table, decision) == [
                "answer 1 \(completed) with an outcome", "answer 2 \(completed) with an outcome",
            ]
        )
    }

    @Test func endOfTheRunSendsOnWhatWasNotAccepted() throws {
        var table = UpdateTable()
        table.wait(waiter(1))
        table.wait(waiter(2, asksAgain: true))
        table.wait(waiter(3, "v", asksAgain: true))
        #expect(
            hear(&table, try news([Samples.acceptance("v")], closes: true)) == [
                "fail 1 notFound", "ask 2 again", "answer 3 \(completed) with an outcome",
            ]
        )
    }

    @Test func callersHearInTimeHowFarItHasCome() {
        var table = UpdateTable()
        let soon = Instant(nanoseconds: 10)
        table.wait(waiter(1, deadline: soon))
        table.wait(waiter(2, isAccepted: true, deadline: soon))
        table.wait(waiter(3))
        #expect(texts(table.timedOut(Instant(nanoseconds: 9))) == [])
        #expect(texts(table.timedOut(soon)) == ["answer 1 \(admitted)", "answer 2 \(accepted)"])
        #expect(texts(table.runLost(run.runID, .unavailable("away"))) == ["fail 3 unavailable"])
        #expect(texts(table.removeAll(.unavailable("away"))) == [])
    }
}
