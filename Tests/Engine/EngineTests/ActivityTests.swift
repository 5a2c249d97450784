import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct ActivityTests {
    /// A run with one scheduled activity, event 5.
    private func scheduled(
        _ adjust: (inout ScheduleActivityTaskCommandAttributes) -> Void = { _ in }
    ) throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a", adjust))
        return stage
    }

    private func attributes(of stage: Stage) throws -> ActivityTaskScheduledEventAttributes {
        guard case .activityTaskScheduledEventAttributes(let attributes) = stage.history[4].attributes else {
            throw RequestError(.internalError, "not scheduled")
        }
        return attributes
    }

    @Test func scheduledEventCarriesTheDefaultRetryPolicyAndAllTimeouts() throws {
        let attributes = try attributes(of: try scheduled())
        #expect(attributes.activityID == "a")
        #expect(attributes.activityType?.name == "book_car")
        #expect(attributes.taskQueue == Samples.queue("travel"))
        #expect(attributes.workflowTaskCompletedEventID == 4)
        #expect(attributes.scheduleToCloseTimeout == Interval.zero.duration)
        #expect(attributes.scheduleToStartTimeout == Interval.zero.duration)
        #expect(attributes.startToCloseTimeout == Interval.seconds(5).duration)
        #expect(attributes.heartbeatTimeout == Interval.zero.duration)
        let policy = attributes.retryPolicy
        #expect(policy?.initialInterval == Interval.seconds(1).duration)
        #expect(policy?.backoffCoefficient == 2)
        #expect(policy?.maximumInterval == Interval.seconds(100).duration)
        #expect(policy?.maximumAttempts == 0)
    }

    @Test func maximumIntervalDefaultsToAHundredTimesTheInitialInterval() throws {
        let stage = try scheduled {
            $0.retryPolicy = .with { $0.initialInterval = Interval.milliseconds(100).duration }
        }
        #expect(try attributes(of: stage).retryPolicy?.maximumInterval == Interval.seconds(10).duration)
    }

    @Test(arguments: [
        RetryPolicy.with {
            $0.maximumAttempts = 1
            $0.initialInterval = Interval(nanoseconds: -1).duration
            $0.backoffCoefficient = 0.5
            $0.maximumInterval = Interval(nanoseconds: -1).duration
        },
        RetryPolicy.with { $0.nonRetryableErrorTypes = ["TemporalTimeout:StartToClose"] },
        RetryPolicy.with { $0.nonRetryableErrorTypes = ["TemporalTimeout:TIMEOUT_TYPE_HEARTBEAT"] },
        RetryPolicy.with { $0.maximumInterval = Interval.seconds(1).duration },
    ])
    func validRetryPoliciesAreAccepted(policy: RetryPolicy) throws {
        let stage = try scheduled { $0.retryPolicy = policy }
        #expect(stage.historyOutline.last == "5 ActivityTaskScheduled")
    }

    @Test func scheduleToCloseAloneSetsTheOtherTimeouts() throws {
        let attributes = try attributes(
            of: try scheduled {
                $0.startToCloseTimeout = nil
                $0.scheduleToCloseTimeout = Interval.seconds(50).duration
            }
        )
        #expect(attributes.scheduleToCloseTimeout == Interval.seconds(50).duration)
        #expect(attributes.scheduleToStartTimeout == Interval.seconds(50).duration)
        #expect(attributes.startToCloseTimeout == Interval.seconds(50).duration)
    }

    @Test func runTimeoutLimitsEveryTimeout() throws {
        let stage = Stage()
        try stage.start { $0.workflowRunTimeout = Interval.seconds(100).duration }
        try stage.run(
            Samples.schedule("a") {
                $0.startToCloseTimeout = Interval.seconds(300).duration
                $0.heartbeatTimeout = Interval.seconds(400).duration
            }
        )
        let attributes = try attributes(of: stage)
        #expect(attributes.scheduleToCloseTimeout == Interval.seconds(100).duration)
        #expect(attributes.scheduleToStartTimeout == Interval.seconds(100).duration)
        #expect(attributes.startToCloseTimeout == Interval.seconds(100).duration)
        #expect(attributes.heartbeatTimeout == Interval.seconds(100).duration)
    }

    @Test func startIsAFactAndItsEventIsWrittenWithTheEnd() throws {
        let stage = try scheduled()
        let started = try stage.pollActivity(5)
        #expect(started.outline == ["fact activityStarted 5#1"])
        guard case .activityTask(let delivery) = started.reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.activity.input == Samples.payloads("car"))
        #expect(delivery.activity.attempt == 1)
        #expect(delivery.startedAt == stage.now)
        let startedAt = stage.now
        stage.pass(.seconds(2))
        let decision = try stage.completeActivity(5)
        #expect(
            decision.outline == [
                "6 ActivityTaskStarted", "7 ActivityTaskCompleted", "8 WorkflowTaskScheduled",
                "offer workflow 8#1 on travel",
            ]
        )
        guard case .activityTaskStartedEventAttributes(let start) = decision.events[0].attributes,
            case .activityTaskCompletedEventAttributes(let end) = decision.events[1].attributes
        else {
            Issue.record("no attributes")
            return
        }
        #expect(decision.events[0].eventTime == startedAt.timestamp)
        #expect(start.scheduledEventID == 5)
        #expect(start.identity == "worker")
        #expect(start.requestID == "activity-5-1")
        #expect(start.attempt == 1)
        #expect(start.lastFailure == nil)
        #expect(end.scheduledEventID == 5)
        #expect(end.startedEventID == 6)
        #expect(end.result == Samples.payloads("booked"))
    }

    @Test func attemptStartsForOnePollerOnly() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        #expect(throws: RequestError.self) { try stage.pollActivity(5) }
        #expect(throws: RequestError.self) { try stage.pollActivity(5, attempt: 2) }
        #expect(throws: RequestError.self) { try stage.pollActivity(99) }
    }

    @Test func endIsBufferedDuringAWorkflowTaskAndLinkedToItsStart() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try stage.signal("go")
        try stage.pollWorkflowTask()
        #expect(
            try stage.completeActivity(5).outline == [
                "fact eventBuffered ActivityTaskStarted", "fact eventBuffered ActivityTaskCompleted",
            ]
        )
        try stage.signal("later")
        let decision = try stage.complete(Samples.schedule("b"))
        // Ends of activities are written after the other buffered events.
        #expect(
            decision.eventOutline == [
                "8 WorkflowTaskStarted", "9 WorkflowTaskCompleted", "10 ActivityTaskScheduled",
                "11 ActivityTaskStarted", "12 WorkflowExecutionSignaled", "13 ActivityTaskCompleted",
                "14 WorkflowTaskScheduled",
            ]
        )
        guard case .activityTaskCompletedEventAttributes(let end) = decision.events[5].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(end.startedEventID == 11)
    }

    @Test func idOfAnEndedActivityCanBeReused() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try stage.signal("go")
        try stage.pollWorkflowTask()
        try stage.completeActivity(5)
        #expect(try stage.complete(Samples.schedule("a")).eventOutline.contains("10 ActivityTaskScheduled"))
    }

    @Test func canonicallyEquivalentIDsAreTwoActivities() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("caf\u{E9}"), Samples.schedule("cafe\u{301}"), Samples.schedule("\u{F1}"))
        #expect(stage.execution.durable.activities.keys.sorted() == [5, 6, 7])
        // Ids of different tasks differ as well.
        try stage.signal("go")
        try stage.run(Samples.schedule("n\u{303}"))
        #expect(stage.execution.durable.activityIDs.count == 4)
    }

    @Test func returnedAttemptIsOfferedAgainUnderTheSameNumber() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        #expect(stage.returnActivity(5).outline == ["fact activityReturned 5#1", "offer activity 5#1 on travel"])
        #expect(stage.returnActivity(5).outline.isEmpty)
        #expect(throws: RequestError.self) { try stage.completeActivity(5) }
        guard case .activityTask(let delivery) = try stage.pollActivity(5).reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.activity.attempt == 1)
        try stage.completeActivity(5)
    }

    @Test func returnedAttemptRestartsItsTimeout() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        stage.pass(.seconds(3))
        stage.returnActivity(5)
        stage.pass(.seconds(1))
        try stage.pollActivity(5)
        #expect(stage.passAndDecide(.seconds(4)).flatMap(\.outline).isEmpty)
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.outline) == ["fact activityRetryScheduled 5#2"])
    }

    @Test func tokenStaysValidAcrossOwners() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        stage.crash()
        #expect(try stage.completeActivity(5).eventOutline.first == "6 ActivityTaskStarted")
    }

    @Test func answersAfterTheEndAreNotFound() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try stage.completeActivity(5)
        let message = "invalid activityID or activity already timed out or invoking workflow is completed"
        #expect(#expect(throws: RequestError.self) { try stage.completeActivity(5) }?.message == message)
        #expect(#expect(throws: RequestError.self) { try stage.failActivity(5) }?.message == message)
        #expect(#expect(throws: RequestError.self) { try stage.cancelledActivity(5) }?.message == message)
        #expect(#expect(throws: RequestError.self) { try stage.heartbeat(5) }?.message == message)
        try stage.terminate()
        let closed = #expect(throws: RequestError.self) { try stage.completeActivity(5) }
        #expect(closed?.message == "workflow execution already completed")
        #expect(closed?.code == .notFound)
    }

    @Test func oversizeResultFailsTheActivityPermanently() throws {
        let stage = try scheduled()
        stage.limits.payloadBytes = 100
        try stage.pollActivity(5)
        let decision = try stage.completeActivity(5, result: String(repeating: "x", count: 200))
        guard case .activityTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("not failed")
            return
        }
        let failure = try attributes.failure?.decoded()
        #expect(failure?.message == "Complete result exceeds size limit.")
        #expect(attributes.retryState == .nonRetryableFailure)
    }

    @Test func oversizeFailureIsTruncated() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        let huge = Samples.failure(String(repeating: "ü", count: 1_100_000))
        let decision = try stage.failActivity(5, huge)
        guard case .activityTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("not failed")
            return
        }
        let failure = try #require(try attributes.failure?.decoded())
        #expect(failure.message == "Failure exceeds size limit.")
        #expect(attributes.retryState == .nonRetryableFailure)
        let cause = try #require(failure.cause)
        #expect(cause.message.utf8.count == (512 << 10) - 18)
        guard case .applicationFailureInfo(let info) = cause.failureInfo else {
            Issue.record("another kind of failure")
            return
        }
        #expect(info.type == "Broken")
    }

    @Test func pendingActivitiesAreLimited() throws {
        let stage = try scheduled()
        stage.limits.pendingActivities = 2
        try stage.signal("go")
        let decision = try stage.run(Samples.schedule("b"), Samples.schedule("c"))
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("not refused")
            return
        }
        #expect(attributes.cause == .pendingActivitiesLimitExceeded)
    }

    /// Results count toward the history's limit once they have arrived, buffered ones included.
    @Test(arguments: [false, true]) func resultsBeyondTheHistoryLimitTerminateTheRun(whileATaskRuns: Bool) throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"), Samples.schedule("b"), Samples.schedule("c"))
        for id: Int64 in 5...7 { try stage.pollActivity(id) }
        if whileATaskRuns {
            try stage.signal("go")
            try stage.pollWorkflowTask()
        }
        stage.limits.historyBytes = 10_000
        let result = String(repeating: "x", count: 4_000)
        try stage.completeActivity(5, result: result)
        try stage.completeActivity(6, result: result)
        try stage.completeActivity(7, result: result)
        #expect(stage.execution.isRunning)
        let last = try stage.signal("more")
        #expect(stage.execution.durable.status == .terminated)
        guard case .workflowExecutionTerminatedEventAttributes(let it)? = last.events.last?.attributes else {
            Issue.record("not terminated: \(last.outline)")
            return
        }
        #expect(it.reason == "Workflow history size exceeds limit.")
    }
}
