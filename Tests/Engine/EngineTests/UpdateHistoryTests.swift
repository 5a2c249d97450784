import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Updates that a new run, or a restarted server, knows from the history.
@Suite struct UpdateHistoryTests {
    /// A run whose first workflow task is completed.
    private func idle() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.complete()
        return stage
    }

    private func delivery(_ decision: Decision) throws -> WorkflowTaskDelivery {
        guard case .workflowTask(let delivery) = decision.reply else { throw Missing() }
        return delivery
    }

    private struct Missing: Error {}

    @Test func carriedOverUpdateGoesToTheWorkerWithItsEvent() throws {
        let stage = try idle()
        #expect(
            try stage.reapplyUpdate("u").eventOutline == [
                "5 WorkflowExecutionUpdateAdmitted", "6 WorkflowTaskScheduled",
            ]
        )
        #expect(stage.execution.progress(ofUpdate: "u") == .admitted)
        #expect(try stage.update("u").entries.isEmpty)
        #expect(try delivery(try stage.pollWorkflowTask()).messages.isEmpty)
        let decision = try stage.answer(Samples.acceptance("u"), Samples.completion("u"))
        guard case .workflowExecutionUpdateAcceptedEventAttributes(let accepted) = decision.events[2].attributes else {
            throw Missing()
        }
        // The request is in the history already.
        #expect(accepted.acceptedRequest == nil)
        #expect(stage.execution.durable.updates.isEmpty)
    }

    @Test func carriedOverUpdateThatIsRejectedOrIgnoredIsGone() throws {
        for messages in [[Samples.rejection("u")], []] {
            let stage = try idle()
            try stage.reapplyUpdate("u")
            try stage.pollWorkflowTask()
            let decision = try stage.complete { $0.messages = messages }
            #expect(decision.facts.contains(.updateRejected("u")))
            #expect(stage.execution.progress(ofUpdate: "u") == nil)
        }
    }

    @Test func acceptedUpdatesAndOutcomesSurviveACrashAndAdmittedOnesDoNot() throws {
        let stage = try idle()
        for id in ["accepted", "done"] { try stage.update(id) }
        try stage.pollWorkflowTask()
        try stage.answer(Samples.acceptance("accepted"), Samples.acceptance("done"), Samples.completion("done"))
        try stage.update("admitted")
        stage.crash()
        #expect(stage.execution.progress(ofUpdate: "accepted") == .accepted)
        #expect(stage.execution.progress(ofUpdate: "done") == .completed(eventID: 10))
        #expect(stage.execution.progress(ofUpdate: "admitted") == nil)
        #expect(stage.execution.dueTasks() == [])
        // Its caller sends it again.
        #expect(try stage.update("admitted").outline.last == "offer workflow 11#1 on travel")
    }
}
