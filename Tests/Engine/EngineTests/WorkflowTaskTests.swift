import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct WorkflowTaskTests {
    private func started() throws -> Stage {
        let stage = Stage()
        try stage.start()
        return stage
    }

    @Test func startOfATaskIsVolatileAndShowsTheStartedEvent() throws {
        let stage = try started()
        let decision = try stage.pollWorkflowTask()
        #expect(decision.outline == ["volatile workflowTaskStarted 3#1"])
        #expect(!decision.isDurable)
        guard case .workflowTask(let delivery) = decision.reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.unwrittenEvents.map(\.event.eventType) == [.workflowTaskStarted])
        #expect(delivery.unwrittenEvents.map(\.event.eventID) == [3])
        #expect(delivery.lastWrittenEventID == 2)
        #expect(delivery.previousStartedEventID == 0)
        #expect(!delivery.isSticky)
        #expect(delivery.workflowType == "TravelBooking")
        #expect(delivery.task.historyBytes == stage.execution.durable.historyBytes)
    }

    @Test func completionWritesStartedAndCompleted() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        let decision = try stage.complete(Samples.complete())
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskCompleted", "5 WorkflowExecutionCompleted",
                "fact workflowTaskCompleted 3",
            ]
        )
        #expect(stage.execution.durable.status == .completed)
    }

    @Test func taskStartsForOnePollerOnly() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        let error = #expect(throws: RequestError.self) { try stage.pollWorkflowTask() }
        #expect(error?.message == "Workflow task not found.")
    }

    @Test func failureIsRecordedAndTheNextAttemptIsOfferedWithoutAnEvent() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        let decision = try stage.failTask(.nonDeterministicError)
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "fact workflowTaskRetried #2",
                "offer workflow 0#2 on travel",
            ]
        )
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.scheduledEventID == 2)
        #expect(attributes.startedEventID == 3)
        #expect(attributes.cause == .nonDeterministicError)
        #expect(attributes.failure == Samples.failure("defect"))
        #expect(attributes.identity == "worker")
    }

    @Test func onlyTheFirstFailureIsRecordedAndTheNextScheduledEventCarriesTheAttempt() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.failTask()
        try stage.pollWorkflowTask()
        #expect(try stage.failTask().outline == ["fact workflowTaskRetried #3", "offer workflow 0#3 on travel"])
        let third = try stage.pollWorkflowTask()
        #expect(third.outline == ["volatile workflowTaskStarted 6#3"])
        guard case .workflowTask(let delivery) = third.reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.unwrittenEvents.map(\.event.eventID) == [5, 6])
        #expect(delivery.lastWrittenEventID == 4)
        let decision = try stage.complete(Samples.complete())
        #expect(
            decision.eventOutline == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskCompleted",
                "8 WorkflowExecutionCompleted",
            ]
        )
        guard case .workflowTaskScheduledEventAttributes(let attributes) = decision.events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.attempt == 3)
        #expect(attributes.taskQueue == Samples.queue("travel"))
        #expect(attributes.startToCloseTimeout == Interval.seconds(10).duration)
    }

    @Test func queryFromTheThirdAttemptOnIsRefused() throws {
        let stage = try started()
        for _ in 0..<2 {
            #expect(stage.execution.queryObstacle == nil)
            try stage.pollWorkflowTask()
            #expect(stage.execution.queryObstacle == nil)
            try stage.failTask()
        }
        let message = "Unable to query workflow due to Workflow Task in failed state."
        #expect(stage.execution.queryObstacle?.code == .failedPrecondition)
        #expect(stage.execution.queryObstacle?.message == message)
        try stage.pollWorkflowTask()
        #expect(stage.execution.queryObstacle?.message == message)
        try stage.complete()
        #expect(stage.execution.queryObstacle == nil)
        try stage.terminate()
        #expect(stage.execution.queryObstacle == nil)
    }

    @Test func newEventResetsTheAttempt() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.failTask()
        #expect(try stage.signal("news").outline == ["5 WorkflowExecutionSignaled"])
        let decision = try stage.pollWorkflowTask()
        #expect(decision.outline == ["6 WorkflowTaskScheduled", "volatile workflowTaskStarted 7#1"])
        let completed = try stage.complete(Samples.complete())
        #expect(completed.eventOutline.first == "7 WorkflowTaskStarted")
    }

    @Test func signalBufferedDuringAFailedTaskResetsTheAttempt() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile")
        let decision = try stage.failTask()
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled",
                "6 WorkflowTaskScheduled", "offer workflow 6#1 on travel",
            ]
        )
        #expect(stage.execution.volatile.startedTask == nil)
    }

    @Test func signalBufferedDuringALaterAttemptResetsTheAttempt() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.failTask()
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile")
        let decision = try stage.failTask()
        #expect(
            decision.outline == [
                "5 WorkflowExecutionSignaled", "6 WorkflowTaskScheduled", "offer workflow 6#1 on travel",
            ]
        )
        #expect(try stage.pollWorkflowTask().outline == ["volatile workflowTaskStarted 7#1"])
    }

    @Test func taskTimesOutAndTheNextAttemptIsOffered() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        #expect(stage.passAndDecide(.seconds(9)).isEmpty)
        let due = stage.passAndDecide(.seconds(1))
        #expect(
            due.map(\.outline) == [
                [
                    "3 WorkflowTaskStarted", "4 WorkflowTaskTimedOut", "fact workflowTaskRetried #2",
                    "offer workflow 0#2 on travel",
                ]
            ]
        )
        guard case .workflowTaskTimedOutEventAttributes(let attributes) = due[0].events[1].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.timeoutType == .startToClose)
        #expect(attributes.scheduledEventID == 2)
        #expect(attributes.startedEventID == 3)
    }

    @Test func laterAttemptTimesOutWithoutAnEvent() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.failTask()
        try stage.pollWorkflowTask()
        let due = stage.passAndDecide(.seconds(10))
        #expect(due.map(\.outline) == [["fact workflowTaskRetried #3", "offer workflow 0#3 on travel"]])
    }

    @Test func tokenOfATimedOutTaskIsRefused() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        let old = stage.token
        stage.passAndDecide(.seconds(10))
        try stage.pollWorkflowTask()
        let error = #expect(throws: RequestError.self) { try stage.complete(token: old) }
        #expect(error?.code == .notFound)
        #expect(error?.message == "Workflow task not found.")
    }

    @Test func tokenOfAPreviousOwnerIsRefused() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        let old = stage.token
        stage.crash()
        #expect(throws: RequestError.self) { try stage.complete(token: old) }
        try stage.pollWorkflowTask()
        #expect(throws: RequestError.self) { try stage.failTask(token: old) }
    }

    @Test func completionOfAClosedRunIsNotFound() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        let token = stage.token
        try stage.terminate()
        let error = #expect(throws: RequestError.self) { try stage.complete(token: token) }
        #expect(error?.message == "Workflow task not found.")
    }

    @Test func startedEventSuggestsContinueAsNew() throws {
        let stage = try started()
        stage.limits.suggestedEvents = 2
        try stage.pollWorkflowTask()
        guard case .workflowTaskStartedEventAttributes(let it) = try stage.complete().events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(it.suggestContinueAsNew)
        #expect(it.suggestContinueAsNewReasons == [.tooManyHistoryEvents])
        #expect(it.historySizeBytes > 0)
    }

    /// As on Temporal's server: 5 s are added from the fourth attempt on, then twice as much each time, up to 10 min.
    @Test func timeoutGrowsFromTheFourthAttempt() throws {
        let stage = try started()
        var timeouts: [Interval] = []
        for _ in 0..<13 {
            try stage.pollWorkflowTask()
            let timeout = try #require(stage.execution.volatile.startedTask?.timeout)
            timeouts.append(timeout)
            #expect(stage.passAndDecide(Interval(nanoseconds: timeout.nanoseconds - 1_000_000)).isEmpty)
            #expect(stage.passAndDecide(.milliseconds(1)).count == 1)
        }
        let seconds: [Int64] = [10, 10, 10, 15, 20, 30, 50, 90, 170, 330, 610, 610, 610]
        #expect(timeouts == seconds.map { .seconds($0) })
        try stage.pollWorkflowTask()
        guard case .workflowTaskScheduledEventAttributes(let it) = try stage.complete().events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(it.startToCloseTimeout == Interval.seconds(610).duration)
    }
}
