import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Workflow tasks that are not written: what happens to them besides an answer.
@Suite struct SpeculativeTaskTests {
    /// A run with an update that waits for a worker.
    private func waiting(sticky: String = "") throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.complete(sticky: sticky)
        try stage.update("u")
        return stage
    }

    @Test func readersOfTheHistorySeeItsEvents() throws {
        let stage = try waiting(sticky: "sticky")
        let due = stage.execution.unwrittenEvents().map(\.event)
        #expect(due.map(\.eventType) == [.workflowTaskScheduled])
        guard case .workflowTaskScheduledEventAttributes(let attributes)? = due.first?.attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.taskQueue?.kind == .sticky)
        try stage.pollWorkflowTask(sticky: true)
        let running = stage.execution.unwrittenEvents().map(\.event)
        #expect(running.map(\.eventID) == [5, 6])
        guard case .workflowTaskStartedEventAttributes(let started)? = running.last?.attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(started.identity == "")
    }

    @Test func stickyTaskHasTheEventsThatTheWorkerLacks() throws {
        let stage = try waiting(sticky: "sticky")
        guard case .workflowTask(let delivery) = try stage.pollWorkflowTask(sticky: true).reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.isSticky)
        #expect(delivery.previousStartedEventID == 3)
        #expect(delivery.unwrittenEvents.map(\.event.eventID) == [5, 6])
    }

    @Test func eventBehindADueTaskIsWrittenBehindIt() throws {
        let stage = try waiting()
        let decision = try stage.signal("go")
        #expect(decision.outline == ["5 WorkflowTaskScheduled", "6 WorkflowExecutionSignaled"])
        #expect(stage.execution.workflowTask?.form == .written)
        // The task that was offered is still the one that is due.
        guard case .workflowTask(let delivery) = try stage.pollWorkflowTask().reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.unwrittenEvents.map(\.event.eventID) == [7])
        #expect(delivery.messages.map(\.protocolInstanceID) == ["u"])
        #expect(
            try stage.answer(Samples.rejection("u")).eventOutline == [
                "7 WorkflowTaskStarted", "8 WorkflowTaskCompleted",
            ]
        )
    }

    @Test func eventDuringARunningTaskIsBufferedBehindItsScheduledEvent() throws {
        let stage = try waiting()
        try stage.pollWorkflowTask()
        #expect(
            try stage.signal("go").outline == [
                "5 WorkflowTaskScheduled", "fact eventBuffered WorkflowExecutionSignaled",
            ]
        )
        #expect(try stage.signal("on").outline == ["fact eventBuffered WorkflowExecutionSignaled"])
        let decision = try stage.answer(Samples.rejection("u"))
        #expect(
            decision.eventOutline == [
                "6 WorkflowTaskStarted", "7 WorkflowTaskCompleted", "8 WorkflowExecutionSignaled",
                "9 WorkflowExecutionSignaled", "10 WorkflowTaskScheduled",
            ]
        )
        #expect(stage.execution.durable.previousStartedEventID == 6)
    }

    @Test func writtenTaskWhoseWorkerIsLostWithTheProcessIsDueAgain() throws {
        let stage = try waiting()
        try stage.pollWorkflowTask()
        try stage.signal("go")
        #expect(stage.crash().outline == ["6 WorkflowExecutionSignaled"])
        #expect(stage.execution.workflowTask?.form == .written)
        #expect(stage.execution.dueTasks().map(\.outline) == ["offer workflow 5#1 on travel"])
    }

    @Test func crashForgetsIt() throws {
        let stage = try waiting()
        #expect(stage.crash().entries.isEmpty)
        #expect(stage.execution.workflowTask == nil)
        #expect(try stage.signal("go").eventOutline == ["5 WorkflowExecutionSignaled", "6 WorkflowTaskScheduled"])
    }

    @Test func failureIsWrittenAndTheUpdateComesAgain() throws {
        let stage = try waiting()
        try stage.pollWorkflowTask()
        let decision = try stage.failTask()
        #expect(
            decision.outline == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskFailed",
                "fact workflowTaskRetried #2", "offer workflow 0#2 on travel",
            ]
        )
        #expect(decision.updateOutline == [])
        guard case .workflowTask(let delivery) = try stage.pollWorkflowTask().reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.task.form == .transient)
        #expect(delivery.messages.map(\.protocolInstanceID) == ["u"])
    }

    @Test func workerThatDoesNotAnswerLosesIt() throws {
        let stage = try waiting()
        try stage.pollWorkflowTask()
        let decision = try #require(stage.passAndDecide(.seconds(10)).first)
        #expect(
            decision.eventOutline == ["5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskTimedOut"]
        )
        guard case .workflowTaskStartedEventAttributes(let started) = decision.events[1].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(started.identity == "")
    }

    @Test func taskThatNobodyTakesForFiveSecondsIsWritten() throws {
        let stage = try waiting()
        #expect(stage.passAndDecide(.milliseconds(4_999)).isEmpty)
        let decision = try #require(stage.passAndDecide(.milliseconds(1)).first)
        #expect(
            decision.outline == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskTimedOut", "7 WorkflowTaskScheduled",
                "offer workflow 7#1 on travel",
            ]
        )
        #expect(throws: RequestError.self) {
            try stage.execution.decide(
                WorkflowTaskStartRequest(
                    stamp: WorkflowTaskStamp(scheduledEventID: 5, attempt: 1),
                    isSticky: false,
                    identity: "worker",
                    requestID: "late",
                    nonce: 1,
                    epoch: 1
                ),
                at: stage.now
            )
        }
        try stage.pollWorkflowTask()
        #expect(try stage.answer(Samples.rejection("u")).updateOutline == ["u failed: not now"])
    }

    @Test func stickyTaskWaitsAsLongAsTheWorkerSaid() throws {
        let stage = try waiting(sticky: "sticky")
        #expect(stage.passAndDecide(.seconds(9)).isEmpty)
        #expect(
            stage.passAndDecide(.seconds(1)).first?.outline == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskTimedOut", "7 WorkflowTaskScheduled",
                "offer workflow 7#1 on travel",
            ]
        )
    }

    @Test func stickyTaskWhoseWorkerIsGoneGoesToTheNormalQueue() throws {
        let stage = try waiting(sticky: "sticky")
        let stamp = try #require(stage.execution.workflowTask?.stamp)
        let decision = stage.apply(stage.execution.decideStickyAbandoned(stamp, at: stage.now))
        #expect(decision.outline == ["volatile stickyAbandoned", "offer workflow 5#1 on travel"])
        try stage.pollWorkflowTask()
        #expect(try stage.answer(Samples.rejection("u")).eventOutline == [])
    }

    @Test func endOfAStartDelayMakesItTheFirstTask() throws {
        let stage = Stage()
        try stage.start { $0.workflowStartDelay = Interval.seconds(2).duration }
        try stage.update("u")
        #expect(stage.passAndDecide(.seconds(2)).flatMap(\.outline) == ["2 WorkflowTaskScheduled"])
        try stage.pollWorkflowTask()
        let decision = try stage.answer(Samples.rejection("u"))
        #expect(decision.eventOutline == ["3 WorkflowTaskStarted", "4 WorkflowTaskCompleted"])
        #expect(stage.execution.durable.firstTaskDueAt == nil)
    }
}
