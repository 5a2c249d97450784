import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@Suite struct ActivityCancellationTests {
    /// A run with one activity, event 5, and a scheduled workflow task.
    private func signalled() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"))
        try stage.signal("cancel it")
        return stage
    }

    private func canceled(_ decision: Decision) throws -> ActivityTaskCanceledEventAttributes {
        for event in decision.events {
            if case .activityTaskCanceledEventAttributes(let attributes) = event.attributes { return attributes }
        }
        throw RequestError(.internalError, "not cancelled: \(decision.outline)")
    }

    @Test func activityThatHasNotStartedIsCancelledAtOnce() throws {
        let stage = try signalled()
        let decision = try stage.run(Samples.cancelActivity(5))
        #expect(
            decision.outline == [
                "8 WorkflowTaskStarted", "9 WorkflowTaskCompleted", "10 ActivityTaskCancelRequested",
                "fact workflowTaskCompleted 8", "11 ActivityTaskCanceled", "12 WorkflowTaskScheduled",
                "offer workflow 12#1 on travel",
            ]
        )
        let attributes = try canceled(decision)
        #expect(Samples.text(attributes.details) == "\"ACTIVITY_ID_NOT_STARTED\"")
        #expect(attributes.latestCancelRequestedEventID == 10)
        #expect(attributes.scheduledEventID == 5)
        #expect(attributes.startedEventID == 0)
        #expect(attributes.identity == "worker")
        #expect(throws: RequestError.self) { try stage.pollActivity(5) }
    }

    @Test func activityInItsBackoffIsCancelledAtOnce() throws {
        let stage = try signalled()
        try stage.pollActivity(5)
        try stage.failActivity(5)
        #expect(try canceled(try stage.run(Samples.cancelActivity(5))).startedEventID == 0)
        #expect(stage.passAndDecide(.seconds(100)).flatMap(\.outline).allSatisfy { !$0.contains("activity") })
    }

    @Test func runningActivityIsAskedToCancelAndAnswers() throws {
        let stage = try signalled()
        try stage.pollActivity(5)
        let early = #expect(throws: RequestError.self) { try stage.cancelledActivity(5) }
        #expect(early?.code == .invalidArgument)
        #expect(
            early?.message == "unable to mark activity as canceled without activity being request canceled first"
        )
        let requested = try stage.run(Samples.cancelActivity(5))
        #expect(requested.eventOutline.last == "10 ActivityTaskCancelRequested")
        let decision = try stage.cancelledActivity(5, details: "cleaned up")
        #expect(
            decision.eventOutline == ["11 ActivityTaskStarted", "12 ActivityTaskCanceled", "13 WorkflowTaskScheduled"]
        )
        let attributes = try canceled(decision)
        #expect(attributes.latestCancelRequestedEventID == 10)
        #expect(attributes.startedEventID == 11)
        #expect(attributes.details == Samples.payloads("cleaned up"))
    }

    @Test func cancelledActivityMayStillComplete() throws {
        let stage = try signalled()
        try stage.pollActivity(5)
        try stage.run(Samples.cancelActivity(5))
        #expect(try stage.completeActivity(5).eventOutline.contains("12 ActivityTaskCompleted"))
    }

    @Test func cancelledActivityThatFailsIsNotRetried() throws {
        let stage = try signalled()
        try stage.pollActivity(5)
        try stage.run(Samples.cancelActivity(5))
        let decision = try stage.failActivity(5)
        guard case .activityTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("not failed")
            return
        }
        #expect(attributes.retryState == .cancelRequested)
    }

    @Test func activityScheduledAndCancelledInOneTaskIsNeverOffered() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        let decision = try stage.complete(
            Samples.schedule("at once") { $0.requestEagerExecution = true },
            Samples.schedule("stays"),
            Samples.cancelActivity(5)
        )
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskCompleted", "5 ActivityTaskScheduled",
                "6 ActivityTaskScheduled", "7 ActivityTaskCancelRequested", "fact workflowTaskCompleted 3",
                "8 ActivityTaskCanceled", "9 WorkflowTaskScheduled", "offer activity 6#1 on travel",
                "offer workflow 9#1 on travel",
            ]
        )
        #expect(stage.execution.durable.activities.keys.sorted() == [6])
    }

    /// As on Temporal's server: after the commands, and after all events buffered during the task.
    @Test func cancellationOfAnUnstartedActivityIsWrittenLast() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("ends"), Samples.schedule("waits"))
        try stage.pollActivity(5)
        try stage.signal("first")
        try stage.pollWorkflowTask()
        try stage.completeActivity(5)
        try stage.signal("second")
        let decision = try stage.complete(Samples.cancelActivity(6), Samples.startTimer("t", .seconds(60)))
        #expect(
            decision.eventOutline == [
                "9 WorkflowTaskStarted", "10 WorkflowTaskCompleted", "11 ActivityTaskCancelRequested",
                "12 TimerStarted", "13 ActivityTaskStarted", "14 WorkflowExecutionSignaled",
                "15 ActivityTaskCompleted", "16 ActivityTaskCanceled", "17 WorkflowTaskScheduled",
            ]
        )
        #expect(stage.execution.durable.activities.isEmpty)
    }

    @Test func activityIDCanBeReusedInTheTaskThatCancelsIt() throws {
        let stage = try signalled()
        try stage.run(Samples.cancelActivity(5), Samples.schedule("a"))
        #expect(stage.execution.durable.activities.keys.sorted() == [11])
        #expect(stage.history.map(\.eventType).suffix(2) == [.activityTaskCanceled, .workflowTaskScheduled])
        try stage.pollActivity(11)
        try stage.completeActivity(11)
    }

    /// The run closes before anybody could see the activity's end.
    @Test func noCancellationIsWrittenWhenTheSameTaskClosesTheRun() throws {
        let stage = try signalled()
        let decision = try stage.run(Samples.cancelActivity(5), Samples.complete())
        #expect(
            decision.eventOutline == [
                "8 WorkflowTaskStarted", "9 WorkflowTaskCompleted", "10 ActivityTaskCancelRequested",
                "11 WorkflowExecutionCompleted",
            ]
        )
    }

    @Test func activityThatEndedDuringTheTaskMayBeCancelled() throws {
        let stage = try signalled()
        try stage.pollActivity(5)
        try stage.pollWorkflowTask()
        try stage.completeActivity(5)
        let decision = try stage.complete(Samples.cancelActivity(5))
        #expect(
            decision.eventOutline == [
                "8 WorkflowTaskStarted", "9 WorkflowTaskCompleted", "10 ActivityTaskCancelRequested",
                "11 ActivityTaskStarted", "12 ActivityTaskCompleted", "13 WorkflowTaskScheduled",
            ]
        )
    }

    @Test func activityThatEndedBeforeTheTaskMayNotBeCancelled() throws {
        let stage = try signalled()
        try stage.pollActivity(5)
        try stage.completeActivity(5)
        try stage.run()
        try stage.signal("again")
        #expect(try stage.run(Samples.cancelActivity(5)).eventOutline.contains { $0.hasSuffix("WorkflowTaskFailed") })
    }

    @Test func secondCancellationFailsTheTask() throws {
        let stage = try signalled()
        try stage.pollActivity(5)
        let decision = try stage.run(Samples.cancelActivity(5), Samples.cancelActivity(5))
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("not refused")
            return
        }
        #expect(attributes.cause == .badRequestCancelActivityAttributes)
    }
}
