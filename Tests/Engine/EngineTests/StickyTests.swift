import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@Suite struct StickyTests {
    /// A run with a sticky queue.
    private func cached() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.marker("m"), sticky: "sticky")
        return stage
    }

    @Test func nextTaskGoesToTheStickyQueue() throws {
        let stage = try cached()
        let decision = try stage.signal("go")
        #expect(decision.outline.last == "offer workflow 7#1 on sticky sticky")
        guard case .workflowTaskScheduledEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.taskQueue?.name == "sticky")
        #expect(attributes.taskQueue?.kind == .sticky)
        #expect(attributes.taskQueue?.normalName == "travel")
    }

    @Test func stickyPollGetsOnlyNewEvents() throws {
        let stage = try cached()
        try stage.signal("go")
        guard case .workflowTask(let delivery) = try stage.pollWorkflowTask(sticky: true).reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.isSticky)
        #expect(delivery.previousStartedEventID == 3)
    }

    @Test func stickyQueueWithoutAPollerFallsBackToTheNormalQueue() throws {
        let stage = try cached()
        try stage.signal("go")
        #expect(stage.passAndDecide(.seconds(9)).isEmpty)
        let due = stage.passAndDecide(.seconds(1))
        #expect(
            due.map(\.outline) == [
                ["8 WorkflowTaskTimedOut", "9 WorkflowTaskScheduled", "offer workflow 9#1 on travel"]
            ]
        )
        guard case .workflowTaskTimedOutEventAttributes(let attributes) = due[0].events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.timeoutType == .scheduleToStart)
        #expect(attributes.scheduledEventID == 7)
        #expect(attributes.startedEventID == 0)
        #expect(stage.execution.durable.stickyQueue.isEmpty)
    }

    @Test func startedStickyTaskDoesNotFallBack() throws {
        let stage = try cached()
        try stage.signal("go")
        try stage.pollWorkflowTask(sticky: true)
        stage.pass(.milliseconds(9_999))
        try stage.complete(Samples.complete())
        #expect(stage.historyOutline.last == "10 WorkflowExecutionCompleted")
    }

    @Test func abandoningAStickyQueueWritesNoEvent() throws {
        let stage = try cached()
        try stage.signal("go")
        let stamp = WorkflowTaskStamp(scheduledEventID: 7, attempt: 1)
        let decision = stage.apply(stage.execution.decideStickyAbandoned(stamp, at: stage.now))
        #expect(decision.outline == ["volatile stickyAbandoned", "offer workflow 7#1 on travel"])
        #expect(stage.passAndDecide(.seconds(20)).flatMap(\.outline).isEmpty)
        guard case .workflowTask(let delivery) = try stage.pollWorkflowTask().reply else {
            Issue.record("no task")
            return
        }
        #expect(!delivery.isSticky)
    }

    @Test func outdatedStampAbandonsNothing() throws {
        let stage = try cached()
        try stage.signal("go")
        let stamp = WorkflowTaskStamp(scheduledEventID: 2, attempt: 1)
        #expect(stage.execution.decideStickyAbandoned(stamp, at: stage.now).outline.isEmpty)
    }

    @Test func failedStickyTaskIsRetriedOnTheNormalQueue() throws {
        let stage = try cached()
        try stage.signal("go")
        try stage.pollWorkflowTask(sticky: true)
        let decision = try stage.failTask()
        #expect(
            decision.outline == [
                "8 WorkflowTaskStarted", "9 WorkflowTaskFailed", "10 WorkflowTaskScheduled",
                "offer workflow 10#1 on travel",
            ]
        )
        try stage.pollWorkflowTask()
        #expect(
            try stage.failTask().outline.suffix(2) == ["fact workflowTaskRetried #2", "offer workflow 0#2 on travel"]
        )
    }

    @Test func completionWithoutAStickyQueueEndsStickiness() throws {
        let stage = try cached()
        try stage.signal("go")
        try stage.pollWorkflowTask(sticky: true)
        try stage.complete()
        #expect(try stage.signal("more").outline.last == "offer workflow 11#1 on travel")
    }

    @Test func aResetForgetsTheStickyQueueForGood() throws {
        let stage = try cached()
        stage.apply(stage.execution.decideStickyReset(at: stage.now))
        #expect(stage.execution.durable.stickyQueue.isEmpty)
        stage.crash()
        #expect(try stage.signal("go").outline.last == "offer workflow 7#1 on travel")
        // There is nothing to forget any more.
        #expect(stage.execution.decideStickyReset(at: stage.now).entries.isEmpty)
    }

    @Test func aResetMovesTheTaskThatWaits() throws {
        let stage = try cached()
        try stage.signal("go")
        let decision = stage.apply(stage.execution.decideStickyReset(at: stage.now))
        #expect(decision.outline.last == "offer workflow 7#1 on travel")
        guard case .workflowTask(let delivery) = try stage.pollWorkflowTask().reply else {
            Issue.record("no task")
            return
        }
        #expect(!delivery.isSticky)
    }
}
