import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct CloseTests {
    private func started(_ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }) throws -> Stage {
        let stage = Stage()
        try stage.start(adjust)
        return stage
    }

    @Test func completingCommandClosesTheRun() throws {
        let stage = try started()
        let decision = try stage.run(Samples.complete("result"))
        guard case .workflowExecutionCompletedEventAttributes(let attributes) = decision.events[2].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.result == Samples.payloads("result"))
        #expect(attributes.workflowTaskCompletedEventID == 4)
        #expect(stage.execution.durable.closedAt == stage.now)
        #expect(stage.execution.nextDeadline == nil)
        #expect(stage.execution.dueTasks().isEmpty)
    }

    @Test func failingCommandClosesTheRun() throws {
        let stage = try started()
        let decision = try stage.run(Samples.fail(Samples.failure("no way")))
        guard case .workflowExecutionFailedEventAttributes(let attributes) = decision.events[2].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.failure == Samples.failure("no way"))
        #expect(attributes.retryState == .retryPolicyNotSet)
        #expect(stage.execution.durable.status == .failed)
    }

    @Test func cancellingCommandClosesTheRun() throws {
        let stage = try started()
        try stage.cancel()
        let decision = try stage.run(Samples.cancelWorkflow("rolled back"))
        #expect(decision.eventOutline.last == "6 WorkflowExecutionCanceled")
        guard case .workflowExecutionCanceledEventAttributes(let attributes) = decision.events[2].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.details == Samples.payloads("rolled back"))
        #expect(stage.execution.durable.status == .canceled)
    }

    @Test func terminationClosesTheRun() throws {
        let stage = try started()
        let decision = try stage.terminate("no longer wanted")
        #expect(decision.outline == ["3 WorkflowExecutionTerminated"])
        guard case .workflowExecutionTerminatedEventAttributes(let attributes) = decision.events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.reason == "no longer wanted")
        #expect(attributes.identity == "client")
        let error = #expect(throws: RequestError.self) { try stage.terminate() }
        #expect(error?.message == "workflow execution already completed")
    }

    @Test func terminationFailsTheRunningTaskAndWritesBufferedEvents() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile")
        let decision = try stage.terminate()
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled",
                "6 WorkflowExecutionTerminated",
            ]
        )
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.cause == .forceCloseCommand)
        #expect(attributes.failure == nil)
        #expect(attributes.identity == serverIdentity)
    }

    @Test func terminationDuringALaterAttemptWritesNoTaskEvents() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.failTask()
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile")
        #expect(try stage.terminate().outline == ["5 WorkflowExecutionSignaled", "6 WorkflowExecutionTerminated"])
    }

    @Test func executionTimeoutClosesTheRun() throws {
        let stage = try started { $0.workflowExecutionTimeout = Interval.seconds(1).duration }
        let due = stage.passAndDecide(.seconds(1))
        #expect(due.map(\.outline) == [["3 WorkflowExecutionTimedOut"]])
        guard case .workflowExecutionTimedOutEventAttributes(let attributes) = due[0].events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.retryState == .timeout)
        #expect(stage.execution.durable.status == .timedOut)
    }

    @Test func runTimeoutClosesTheRun() throws {
        let stage = try started {
            $0.workflowRunTimeout = Interval.seconds(1).duration
            $0.workflowExecutionTimeout = Interval.seconds(9).duration
        }
        let due = stage.passAndDecide(.seconds(1))
        guard case .workflowExecutionTimedOutEventAttributes(let attributes) = due[0].events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.retryState == .retryPolicyNotSet)
    }

    @Test func startDelayDoesNotCountAgainstTheRun() throws {
        let stage = try started {
            $0.workflowRunTimeout = Interval.seconds(2).duration
            $0.workflowStartDelay = Interval.seconds(5).duration
        }
        stage.passAndDecide(.milliseconds(6_999))
        #expect(stage.execution.isRunning)
        stage.passAndDecide(.milliseconds(1))
        #expect(!stage.execution.isRunning)
    }

    @Test func runTimeoutFailsTheRunningTask() throws {
        let stage = try started { $0.workflowRunTimeout = Interval.seconds(5).duration }
        stage.pass(.seconds(1))
        try stage.pollWorkflowTask()
        #expect(
            stage.passAndDecide(.seconds(4)).map(\.outline) == [
                ["3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionTimedOut"]
            ]
        )
    }

    @Test func bufferedFiringIsWrittenBeforeTheRunTimeout() throws {
        let stage = try started { $0.workflowRunTimeout = Interval.seconds(5).duration }
        try stage.run(Samples.startTimer("t", .seconds(2)))
        try stage.signal("go")
        stage.pass(.seconds(1))
        try stage.pollWorkflowTask()
        stage.passAndDecide(.seconds(60))
        stage.passAndDecide(.milliseconds(1))
        #expect(stage.historyOutline.contains { $0.hasSuffix("TimerFired") })
        #expect(stage.historyOutline.last?.hasSuffix("WorkflowExecutionTimedOut") == true)
        #expect(stage.execution.durable.bufferedEvents.isEmpty)
    }

    @Test func closedRunKeepsItsPendingActivities() throws {
        let stage = try started()
        try stage.run(Samples.schedule("a"), Samples.complete())
        #expect(stage.execution.durable.activities.keys.sorted() == [5])
    }

    @Test func tooManyEventsTerminateTheRun() throws {
        let stage = try started()
        stage.limits.historyEvents = 5
        let decision = try stage.run(Samples.marker("a"), Samples.marker("b"))
        #expect(
            decision.outline == ["3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionTerminated"]
        )
        guard case .workflowExecutionTerminatedEventAttributes(let attributes) = decision.events[2].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.reason == "Workflow history count exceeds limit.")
    }

    @Test func tooManyBytesTerminateTheRun() throws {
        let stage = try started()
        stage.limits.historyBytes = 500
        // The transition that exceeds the size is the last but one.
        try stage.run(Samples.marker("a", details: ["a": String(repeating: "x", count: 500)]))
        #expect(stage.execution.isRunning)
        let decision = try stage.signal("more")
        #expect(decision.outline == ["6 WorkflowExecutionTerminated"])
        guard case .workflowExecutionTerminatedEventAttributes(let attributes) = decision.events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.reason == "Workflow history size exceeds limit.")
    }

    @Test func decisionsOnAClosedRunChangeNothing() throws {
        let stage = try started()
        try stage.run(Samples.schedule("a"), Samples.startTimer("t", .seconds(1)))
        try stage.pollActivity(5)
        try stage.terminate()
        let before = stage.execution.durable
        let stamp = WorkflowTaskStamp(scheduledEventID: 7, attempt: 1)
        #expect(stage.execution.decideDue(at: stage.now + .seconds(100)).outline.isEmpty)
        #expect(stage.execution.decideRecovery(at: stage.now).outline.isEmpty)
        #expect(stage.execution.decideStickyAbandoned(stamp, at: stage.now).outline.isEmpty)
        #expect(stage.returnActivity(5).outline.isEmpty)
        #expect(throws: RequestError.self) { try stage.signal("late") }
        #expect(throws: RequestError.self) { try stage.pollWorkflowTask() }
        #expect(throws: RequestError.self) { try stage.completeActivity(5) }
        #expect(stage.execution.durable == before)
    }
}
