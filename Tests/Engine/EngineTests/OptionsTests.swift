import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// Changes of a run's options.
@Suite struct OptionsTests {
    private static func tenant(_ priority: inout Priority) {
        priority.priorityKey = 2
        priority.fairnessKey = "tenant"
        priority.fairnessWeight = 3
    }

    private func priority(_ decision: Decision) -> Priority? {
        guard case .options(let options) = decision.reply else { return nil }
        return options.priority
    }

    @Test func thePriorityChangesAsAWholeAndInParts() throws {
        let stage = Stage()
        try stage.start()
        let whole = stage.apply(try stage.execution.decide(Samples.options("priority", Self.tenant), at: stage.now))
        #expect(stage.historyOutline.last == "3 WorkflowExecutionOptionsUpdated")
        #expect(priority(whole) == stage.execution.durable.priority)
        let event = try #require(stage.history.last)
        #expect(event.workerMayIgnore)
        guard case .workflowExecutionOptionsUpdatedEventAttributes(let updated) = event.attributes else {
            Issue.record("no options")
            return
        }
        #expect(updated.unsetVersioningOverride && updated.identity == "administrator")
        #expect(updated.priority == priority(whole))
        // No workflow task follows, and the same again writes nothing.
        let same = stage.apply(try stage.execution.decide(Samples.options("priority", Self.tenant), at: stage.now))
        #expect(same.entries.isEmpty && whole.offers.isEmpty && priority(same) == priority(whole))
        for (path, change) in [
            ("priority.priority_key", { $0.priorityKey = 5 }), ("priority.fairness_key", { $0.fairnessKey = "x" }),
            ("priority.fairness_weight", { $0.fairnessWeight = 7 }),
        ] as [(String, (inout Priority) -> Void)] {
            var expected = try #require(stage.execution.durable.priority)
            change(&expected)
            let part = stage.apply(try stage.execution.decide(Samples.options(path, change), at: stage.now))
            #expect(priority(part) == expected && stage.execution.durable.priority == expected, "\(path)")
        }
        // Without a path nothing changes.
        let none = try stage.execution.decide(Samples.options { $0.priorityKey = 1 }, at: stage.now)
        #expect(none.entries.isEmpty && priority(none) == stage.execution.durable.priority)
        #expect(HistoryRules.violations(in: stage.history).isEmpty)
    }

    @Test func theEventWaitsForTheWorkflowTaskThatRuns() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        stage.apply(try stage.execution.decide(Samples.options("priority", Self.tenant), at: stage.now))
        #expect(stage.historyOutline.count == 2)
        #expect(stage.execution.durable.priority?.fairnessKey == "tenant")
        stage.crash()
        #expect(stage.historyOutline.last == "3 WorkflowExecutionOptionsUpdated")
        try stage.pollWorkflowTask()
        stage.apply(
            try stage.execution.decide(Samples.options("priority.priority_key") { $0.priorityKey = 4 }, at: stage.now)
        )
        try stage.complete()
        #expect(
            stage.historyOutline.suffix(3) == [
                "5 WorkflowTaskCompleted", "6 WorkflowExecutionOptionsUpdated", "7 WorkflowTaskScheduled",
            ]
        )
        #expect(stage.history[5].workerMayIgnore && stage.execution.durable.priority?.priorityKey == 4)
        #expect(stage.execution.durable.bufferedEvents.isEmpty)
    }

    @Test func aResetKeepsAndRepeatsThem() throws {
        let stage = Stage()
        try stage.start()
        try stage.run()
        stage.apply(try stage.execution.decide(Samples.options("priority", Self.tenant), at: stage.now))
        var operation = PostResetOperation()
        var update = PostResetOperation.UpdateWorkflowOptions()
        update.workflowExecutionOptions = WorkflowExecutionOptions()
        update.workflowExecutionOptions?.priority = Priority()
        update.workflowExecutionOptions?.priority?.priorityKey = 9
        update.updateMask = .init()
        update.updateMask?.paths = ["priority.priority_key"]
        operation.variant = .updateWorkflowOptions(update)
        let request = try Samples.reset(at: 4) { $0.postResetOperations = [operation, operation] }
        let run = try ResetRun(of: stage.entries, at: 4, request, now: stage.now)
        #expect(
            run.outline.suffix(4) == [
                "4 WorkflowTaskFailed", "5 WorkflowExecutionOptionsUpdated", "6 WorkflowExecutionOptionsUpdated",
                "7 WorkflowTaskScheduled",
            ]
        )
        #expect(run.execution.durable.priority?.priorityKey == 9)
        #expect(run.execution.durable.priority?.fairnessKey == "tenant")
    }

    @Test func refusals() throws {
        func refusal(_ path: String, _ fill: (inout Priority) -> Void = { _ in }) -> RequestError? {
            do throws(RequestError) {
                _ = try Samples.options(path, fill)
                return nil
            } catch { return error }
        }
        let invalid =
            "error parsing UpdateMask: proto: invalid path \"nothing\" for message "
            + "\"temporal.api.workflow.v1.WorkflowExecutionOptions\""
        #expect(refusal("nothing")?.message == invalid)
        #expect(refusal("priority.priorityKey")?.code == .invalidArgument)
        #expect(refusal("versioning_override")?.code == .unimplemented)
        #expect(refusal("time_skipping_config.enabled")?.code == .unimplemented)
        #expect(refusal("priority") { $0.priorityKey = -1 }?.message == "priority key can't be negative")
        let long = String(repeating: "x", count: 65)
        #expect(refusal("priority") { $0.fairnessKey = long }?.message == "fairness key length exceeds limit")
        #expect(refusal("priority") { $0.fairnessWeight = -1 }?.message == "must be greater than zero")
        #expect(refusal("priority") { $0.fairnessKey = "\0" }?.code == .invalidArgument)
        let stage = Stage()
        try stage.start()
        try stage.terminate()
        let request = try Samples.options("priority", Self.tenant)
        let error = #expect(throws: RequestError.self) { try stage.execution.decide(request, at: stage.now) }
        #expect(error?.message == RequestError.workflowClosed.message)
    }
}
