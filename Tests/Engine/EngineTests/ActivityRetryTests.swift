import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct ActivityRetryTests {
    /// A run with one activity, event 5, that has started.
    private func started(
        _ policy: RetryPolicy? = nil,
        _ adjust: (inout ScheduleActivityTaskCommandAttributes) -> Void = { _ in }
    ) throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(
            Samples.schedule("a") {
                $0.retryPolicy = policy
                adjust(&$0)
            }
        )
        try stage.pollActivity(5)
        return stage
    }

    private func failed(_ decision: Decision) throws -> ActivityTaskFailedEventAttributes {
        for event in decision.events {
            if case .activityTaskFailedEventAttributes(let attributes) = event.attributes { return attributes }
        }
        throw RequestError(.internalError, "not failed: \(decision.outline)")
    }

    /// The next attempt is offered after exactly that delay, and a worker starts it.
    private func expectRetry(_ stage: Stage, attempt: Int32, after pause: Interval) throws {
        let moment = Interval(nanoseconds: pause.nanoseconds - 1)
        #expect(stage.passAndDecide(moment).flatMap(\.outline).isEmpty)
        #expect(
            stage.passAndDecide(Interval(nanoseconds: 1)).flatMap(\.outline) == [
                "offer activity 5#\(attempt) on travel"
            ]
        )
        try stage.pollActivity(5, attempt: attempt)
    }

    @Test func failureIsRetriedAfterASecondWithoutAnEvent() throws {
        let stage = try started()
        #expect(try stage.failActivity(5).outline == ["fact activityRetryScheduled 5#2"])
        #expect(stage.passAndDecide(.milliseconds(999)).isEmpty)
        let due = stage.passAndDecide(.milliseconds(1))
        #expect(due.map(\.outline) == [["offer activity 5#2 on travel"]])
        guard case .activityTask(let delivery) = try stage.pollActivity(5, attempt: 2).reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.activity.attempt == 2)
    }

    @Test func delaysDoubleUpToTheMaximum() throws {
        let stage = try started(.with { $0.maximumInterval = Interval.seconds(5).duration })
        for (attempt, pause) in zip(Int32(1)..., [1, 2, 4, 5, 5] as [Int64]) {
            try stage.failActivity(5, attempt: attempt)
            try expectRetry(stage, attempt: attempt + 1, after: .seconds(pause))
        }
    }

    @Test func coefficientOfOneKeepsTheDelayConstant() throws {
        let stage = try started(
            .with {
                $0.initialInterval = Interval.milliseconds(300).duration
                $0.backoffCoefficient = 1
            }
        )
        for attempt in Int32(1)...3 {
            try stage.failActivity(5, attempt: attempt)
            try expectRetry(stage, attempt: attempt + 1, after: .milliseconds(300))
        }
    }

    @Test func lastAttemptCarriesThePreviousFailure() throws {
        let stage = try started()
        try stage.failActivity(5, Samples.failure("first"), heartbeat: "half way")
        stage.passAndDecide(.seconds(1))
        guard case .activityTask(let delivery) = try stage.pollActivity(5, attempt: 2).reply else {
            Issue.record("no task")
            return
        }
        #expect(delivery.heartbeatDetails == Samples.payloads("half way"))
        let decision = try stage.completeActivity(5, attempt: 2)
        guard case .activityTaskStartedEventAttributes(let attributes) = decision.events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.attempt == 2)
        #expect(attributes.lastFailure == Samples.failure("first"))
        #expect(decision.eventOutline.first == "6 ActivityTaskStarted")
    }

    @Test func maximumAttemptsEndTheActivity() throws {
        let stage = try started(.with { $0.maximumAttempts = 2 })
        try stage.failActivity(5)
        stage.passAndDecide(.seconds(1))
        try stage.pollActivity(5, attempt: 2)
        let decision = try stage.failActivity(5, attempt: 2, Samples.failure("second"))
        #expect(
            decision.outline == [
                "6 ActivityTaskStarted", "7 ActivityTaskFailed", "8 WorkflowTaskScheduled",
                "offer workflow 8#1 on travel",
            ]
        )
        let attributes = try failed(decision)
        #expect(attributes.retryState == .maximumAttemptsReached)
        #expect(attributes.failure == Samples.failure("second"))
        #expect(attributes.scheduledEventID == 5)
        #expect(attributes.startedEventID == 6)
    }

    @Test func nonRetryableFailureEndsTheActivity() throws {
        let stage = try started()
        let decision = try stage.failActivity(5, Samples.failure("fatal", nonRetryable: true))
        #expect(try failed(decision).retryState == .nonRetryableFailure)
    }

    @Test func nonRetryableFailureTypeEndsTheActivity() throws {
        let policy = RetryPolicy.with { $0.nonRetryableErrorTypes = ["Fatal"] }
        #expect(try started(policy).failActivity(5, Samples.failure("no", type: "Other")).events.isEmpty)
        let decision = try started(policy).failActivity(5, Samples.failure("fatal", type: "Fatal"))
        #expect(try failed(decision).retryState == .nonRetryableFailure)
    }

    @Test func absentFailureIsRetried() throws {
        #expect(try started().failActivity(5, nil).outline == ["fact activityRetryScheduled 5#2"])
    }

    @Test func nextRetryDelayOverridesThePolicy() throws {
        let stage = try started(.with { $0.initialInterval = Interval.seconds(600).duration })
        try stage.failActivity(5, Samples.failure("wait", nextRetryDelay: .seconds(3)))
        try expectRetry(stage, attempt: 2, after: .seconds(3))
    }

    @Test func nextRetryDelayOfZeroRetriesAtOnce() throws {
        let stage = try started()
        try stage.failActivity(5, Samples.failure("now", nextRetryDelay: .zero))
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#2 on travel"])
    }

    @Test func noRetryIsScheduledPastTheDeadline() throws {
        let stage = try started(.with { $0.initialInterval = Interval.seconds(60).duration }) {
            $0.scheduleToCloseTimeout = Interval.seconds(20).duration
        }
        let attributes = try failed(try stage.failActivity(5, Samples.failure("first")))
        #expect(attributes.retryState == .timeout)
        #expect(attributes.failure == Samples.failure("first"))
    }

    @Test func retryExactlyAtTheDeadlineIsScheduled() throws {
        let stage = try started { $0.scheduleToCloseTimeout = Interval.seconds(1).duration }
        #expect(try stage.failActivity(5).outline == ["fact activityRetryScheduled 5#2"])
    }

    @Test func returnedLaterAttemptIsDueAgain() throws {
        let stage = try started()
        try stage.failActivity(5)
        stage.passAndDecide(.seconds(1))
        try stage.pollActivity(5, attempt: 2)
        #expect(stage.returnActivity(5, attempt: 2).outline.last == "offer activity 5#2 on travel")
        // After a crash its deadline offers it.
        stage.crash()
        #expect(stage.execution.dueTasks().isEmpty)
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#2 on travel"])
    }

    @Test func offeredAttemptStartsEvenIfTheClockWentBack() throws {
        let stage = try started()
        try stage.failActivity(5)
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.outline) == ["offer activity 5#2 on travel"])
        stage.pass(Interval(nanoseconds: -500_000_000))
        try stage.pollActivity(5, attempt: 2)
        #expect(stage.execution.durable.activities[5]?.isStarted == true)
    }

    @Test func retriesSurviveACrash() throws {
        let stage = try started()
        try stage.failActivity(5)
        stage.crash()
        #expect(stage.execution.nextDeadline == stage.now + .seconds(1))
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.outline) == ["offer activity 5#2 on travel"])
    }

    /// The failure is kept until the next attempt. Temporal keeps 4 KiB of it.
    @Test func largeFailureIsTruncatedForTheNextAttempt() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"))
        try stage.pollActivity(5)
        try stage.failActivity(5, Samples.failure(String(repeating: "x", count: 100_000)))
        let kept = try #require(stage.execution.durable.activities[5]?.lastFailure)
        #expect(kept.bytes.count <= 4_200)
        let failure = try kept.decoded()
        #expect(failure.message == "Failure exceeds size limit.")
        #expect(failure.failureInfo == .serverFailureInfo(ServerFailureInfo()))
        #expect(failure.cause?.message.hasPrefix("xxxx") == true)
    }
}
