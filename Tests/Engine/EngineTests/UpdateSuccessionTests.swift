import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// What becomes of updates when another run takes the place of theirs.
@Suite struct UpdateSuccessionTests {
    private static let next = RunID(high: 0x0190_0000_0000_7001, low: 0x8000_0000_0000_0003)
    private static let aborted = "refused: workflow update was aborted by closing workflow"

    /// A run whose first workflow task is completed, with the event 4.
    private func idle(_ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }) throws -> Stage {
        let stage = Stage()
        try stage.start(adjust)
        try stage.run()
        return stage
    }

    private func accept(_ id: String, on stage: Stage) throws {
        try stage.update(id)
        try stage.pollWorkflowTask()
        try stage.answer(Samples.acceptance(id))
    }

    private func reset(
        _ entries: [Entry],
        at eventID: Int64,
        _ stage: Stage,
        _ adjust: (inout ResetWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> ResetRun {
        try ResetRun(of: entries, at: eventID, try Samples.reset(at: eventID, adjust), now: stage.now)
    }

    @Test func resetAdmitsUpdatesFromBehindItsPoint() throws {
        let stage = try idle()
        try accept("u", on: stage)
        let run = try reset(stage.entries, at: 4, stage)
        #expect(
            run.outline.suffix(3) == [
                "4 WorkflowTaskFailed", "5 WorkflowExecutionUpdateAdmitted", "6 WorkflowTaskScheduled",
            ]
        )
        guard case .workflowExecutionUpdateAdmittedEventAttributes(let attributes) = run.history[4].attributes else {
            Issue.record("no admitted update")
            return
        }
        #expect(attributes.origin == .reapply && attributes.request == Samples.updateRequest("u"))
        #expect(run.execution.progress(ofUpdate: "u") == .admitted)
    }

    @Test func resetLeavesExcludedUpdatesOut() throws {
        let stage = try idle()
        try accept("u", on: stage)
        let run = try reset(stage.entries, at: 4, stage) { $0.resetReapplyExcludeTypes = [.update] }
        #expect(run.outline.suffix(2) == ["4 WorkflowTaskFailed", "5 WorkflowTaskScheduled"])
        #expect(run.execution.progress(ofUpdate: "u") == nil)
    }

    @Test func resetAdmitsEachIDOnce() throws {
        let stage = try idle()
        try accept("before", on: stage)
        let point = stage.execution.nextEventID + 1
        try accept("behind", on: stage)
        // A later run of the chain had updates with the same ids.
        var entries = stage.entries
        for (offset, id) in ["before", "behind"].enumerated() {
            var attributes = WorkflowExecutionUpdateAcceptedEventAttributes()
            attributes.protocolInstanceID = id
            attributes.acceptedRequest = Samples.updateRequest(id)
            var event = HistoryEvent()
            event.eventID = Int64(1_000 + offset)
            event.eventType = .workflowExecutionUpdateAccepted
            event.attributes = .workflowExecutionUpdateAcceptedEventAttributes(attributes)
            entries.append(.event(RecordedEvent(event)))
        }
        let run = try reset(entries, at: point, stage)
        let admitted = run.history.compactMap { event -> String? in
            guard case .workflowExecutionUpdateAdmittedEventAttributes(let attributes) = event.attributes else {
                return nil
            }
            return attributes.request?.meta?.updateID
        }
        #expect(admitted == ["behind"])
        #expect(run.execution.progress(ofUpdate: "before") == .accepted)
    }

    @Test(arguments: [false, true]) func runThatAResetReplacesEndsItsUpdates(handsOver: Bool) throws {
        let stage = try idle()
        try accept("accepted", on: stage)
        try stage.update("waiting")
        let reset = try Samples.reset(at: 4)
        let decision = stage.execution.decideEnd(for: reset, handsOver: handsOver, at: stage.now)
        #expect(decision.updateOutline.first == "waiting \(Self.aborted)")
        #expect(decision.updateOutline.last?.hasPrefix("accepted failed: ") == true)
        #expect(decision.updateOutline.count == 2)
    }

    @Test func timeoutEndsUpdatesAlsoWhereAnotherRunFollows() throws {
        let stage = try idle {
            $0.workflowRunTimeout = Interval.seconds(3).duration
            $0.retryPolicy = RetryPolicy()
        }
        try stage.update("waiting")
        let decision = stage.execution.decideDue(at: stage.now + .seconds(3), successorID: Self.next)
        #expect(decision.successor?.runID == Self.next)
        #expect(decision.updateOutline == ["waiting \(Self.aborted)"])
    }

    @Test func endByALimitAbortsUpdatesThatWouldHaveBeenAccepted() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        stage.limits.historyEvents = 6
        let decision = try stage.answer(Samples.acceptance("u"))
        #expect(decision.endsRun)
        #expect(decision.updateOutline == ["u \(Self.aborted)"])
    }
}
