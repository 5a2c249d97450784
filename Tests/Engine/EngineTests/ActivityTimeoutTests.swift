import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct ActivityTimeoutTests {
    private func scheduled(_ adjust: (inout ScheduleActivityTaskCommandAttributes) -> Void) throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a", adjust))
        return stage
    }

    private struct TimedOut {
        let attributes: ActivityTaskTimedOutEventAttributes
        let failure: Failure
        let info: TimeoutFailureInfo
    }

    private func timedOut(_ decisions: [Decision]) throws -> TimedOut {
        for event in decisions.flatMap(\.events) {
            guard case .activityTaskTimedOutEventAttributes(let attributes) = event.attributes,
                let failure = try attributes.failure?.decoded(),
                case .timeoutFailureInfo(let info) = failure.failureInfo
            else { continue }
            return TimedOut(attributes: attributes, failure: failure, info: info)
        }
        throw RequestError(.internalError, "not timed out: \(decisions.map(\.outline))")
    }

    private let noTime =
        "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"

    @Test func scheduleToStartTimeoutEndsTheActivity() throws {
        let stage = try scheduled { $0.scheduleToStartTimeout = Interval.seconds(1).duration }
        let due = stage.passAndDecide(.seconds(1))
        #expect(
            due.map(\.outline) == [
                ["6 ActivityTaskTimedOut", "7 WorkflowTaskScheduled", "offer workflow 7#1 on travel"]
            ]
        )
        let it = try timedOut(due)
        #expect(it.attributes.scheduledEventID == 5)
        #expect(it.attributes.startedEventID == 0)
        #expect(it.attributes.retryState == .timeout)
        #expect(it.failure.message == "activity ScheduleToStart timeout")
        #expect(it.failure.source == "Server")
        #expect(it.info.timeoutType == .scheduleToStart)
    }

    @Test func startedActivityHasNoScheduleToStartTimeout() throws {
        let stage = try scheduled {
            $0.scheduleToStartTimeout = Interval.seconds(1).duration
            $0.startToCloseTimeout = Interval.seconds(50).duration
        }
        try stage.pollActivity(5)
        #expect(stage.passAndDecide(.seconds(10)).flatMap(\.outline).isEmpty)
    }

    @Test func scheduleToStartAppliesToEachAttempt() throws {
        let stage = try scheduled { $0.scheduleToStartTimeout = Interval.seconds(2).duration }
        try stage.pollActivity(5)
        try stage.failActivity(5, Samples.failure("first"))
        stage.passAndDecide(.seconds(1))
        #expect(stage.passAndDecide(.milliseconds(1_999)).flatMap(\.outline).isEmpty)
        let it = try timedOut(stage.passAndDecide(.milliseconds(1)))
        #expect(it.info.timeoutType == .scheduleToStart)
        #expect(it.failure.cause?.message == "first")
    }

    @Test func scheduleToStartAppliesToAReturnedAttempt() throws {
        let stage = try scheduled { $0.scheduleToStartTimeout = Interval.seconds(2).duration }
        try stage.pollActivity(5)
        stage.passAndDecide(.seconds(3))
        stage.returnActivity(5)
        #expect(try timedOut(stage.passAndDecide(.seconds(2))).info.timeoutType == .scheduleToStart)
    }

    @Test func startToCloseTimeoutIsRetried() throws {
        let stage = try scheduled { $0.startToCloseTimeout = Interval.seconds(3).duration }
        try stage.pollActivity(5)
        let due = stage.passAndDecide(.seconds(3))
        #expect(due.map(\.outline) == [["fact activityRetryScheduled 5#2"]])
        let lastFailure = try stage.execution.durable.activities[5]?.lastFailure?.decoded()
        #expect(lastFailure?.message == "activity StartToClose timeout")
        #expect(lastFailure?.source == "Server")
        #expect(stage.execution.durable.activities[5]?.lastWorkerIdentity == "worker")
    }

    @Test func startToCloseTimeoutOfTheLastAttemptCarriesTheHeartbeatDetails() throws {
        let stage = try scheduled {
            $0.startToCloseTimeout = Interval.seconds(3).duration
            $0.retryPolicy = .with { $0.maximumAttempts = 1 }
        }
        try stage.pollActivity(5)
        try stage.heartbeat(5, "half way")
        let it = try timedOut(stage.passAndDecide(.seconds(3)))
        #expect(it.attributes.startedEventID == 6)
        #expect(it.attributes.retryState == .maximumAttemptsReached)
        #expect(it.failure.message == "activity StartToClose timeout")
        #expect(it.info.timeoutType == .startToClose)
        #expect(it.info.lastHeartbeatDetails?.payloads.count == 1)
    }

    @Test func heartbeatTimeoutOfTheLastAttemptEndsTheActivity() throws {
        let stage = try scheduled {
            $0.startToCloseTimeout = Interval.seconds(60).duration
            $0.heartbeatTimeout = Interval.seconds(2).duration
            $0.retryPolicy = .with { $0.maximumAttempts = 1 }
        }
        try stage.pollActivity(5)
        let it = try timedOut(stage.passAndDecide(.seconds(2)))
        #expect(it.attributes.retryState == .maximumAttemptsReached)
        #expect(it.failure.message == "activity Heartbeat timeout")
        #expect(it.info.timeoutType == .heartbeat)
    }

    @Test func scheduleToCloseTimeoutEndsARunningAttempt() throws {
        let stage = try scheduled {
            $0.startToCloseTimeout = nil
            $0.scheduleToCloseTimeout = Interval.seconds(4).duration
        }
        stage.pass(.seconds(1))
        try stage.pollActivity(5)
        let it = try timedOut(stage.passAndDecide(.seconds(3)))
        #expect(it.attributes.startedEventID == 6)
        #expect(it.attributes.retryState == .timeout)
        #expect(it.failure.message == noTime)
        #expect(it.info.timeoutType == .scheduleToClose)
        #expect(it.failure.cause == nil)
    }

    @Test func scheduleToCloseTimeoutInALaterAttemptCarriesThePreviousFailure() throws {
        let stage = try scheduled { $0.scheduleToCloseTimeout = Interval.seconds(4).duration }
        try stage.pollActivity(5)
        try stage.failActivity(5, Samples.failure("first"))
        stage.passAndDecide(.seconds(1))
        try stage.pollActivity(5, attempt: 2)
        let it = try timedOut(stage.passAndDecide(.seconds(3)))
        #expect(it.attributes.startedEventID == 6)
        #expect(it.failure.cause?.message == "first")
    }

    @Test func scheduleToCloseTimeoutBetweenAttemptsHasNoStartedEvent() throws {
        let stage = try scheduled { $0.scheduleToCloseTimeout = Interval.seconds(4).duration }
        try stage.pollActivity(5)
        try stage.failActivity(5, Samples.failure("first", nextRetryDelay: .seconds(4)))
        let due = stage.passAndDecide(.seconds(4))
        let it = try timedOut(due)
        #expect(due.last?.eventOutline == ["6 ActivityTaskTimedOut", "7 WorkflowTaskScheduled"])
        #expect(it.attributes.startedEventID == 0)
        #expect(it.failure.message == noTime)
        #expect(it.failure.cause?.message == "first")
    }

    @Test func timeoutWithoutTimeForARetryReportsScheduleToClose() throws {
        let stage = try scheduled {
            $0.startToCloseTimeout = Interval.seconds(3).duration
            $0.scheduleToCloseTimeout = Interval.milliseconds(3_500).duration
        }
        try stage.pollActivity(5)
        let it = try timedOut(stage.passAndDecide(.seconds(3)))
        #expect(it.attributes.retryState == .timeout)
        #expect(it.info.timeoutType == .scheduleToClose)
        #expect(it.failure.message == noTime)
    }

    @Test func cancelledActivityThatTimesOutIsNotRetried() throws {
        let stage = try scheduled { $0.startToCloseTimeout = Interval.seconds(3).duration }
        try stage.pollActivity(5)
        try stage.signal("go")
        try stage.run(Samples.cancelActivity(5))
        let it = try timedOut(stage.passAndDecide(.seconds(3)))
        #expect(it.attributes.retryState == .cancelRequested)
        #expect(it.info.timeoutType == .startToClose)
        #expect(it.failure.message == "activity StartToClose timeout")
    }

    @Test func timeoutTypeCanBeNonRetryable() throws {
        let stage = try scheduled {
            $0.startToCloseTimeout = Interval.seconds(3).duration
            $0.retryPolicy = .with { $0.nonRetryableErrorTypes = ["TemporalTimeout:StartToClose"] }
        }
        try stage.pollActivity(5)
        #expect(try timedOut(stage.passAndDecide(.seconds(3))).attributes.retryState == .nonRetryableFailure)
    }

    @Test func timeoutsDueTogetherScheduleOneWorkflowTask() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(
            Samples.schedule("a") { $0.scheduleToStartTimeout = Interval.seconds(1).duration },
            Samples.schedule("b") { $0.scheduleToStartTimeout = Interval.seconds(1).duration },
            Samples.startTimer("t", .seconds(1))
        )
        #expect(
            stage.passAndDecide(.seconds(5)).map(\.outline) == [
                [
                    "8 ActivityTaskTimedOut", "9 WorkflowTaskScheduled", "10 ActivityTaskTimedOut", "11 TimerFired",
                    "offer workflow 9#1 on travel",
                ]
            ]
        )
    }

    /// Heartbeats without details are lost with their owner, so the attempt gets its full timeout again.
    @Test func newOwnerRestartsTheHeartbeatTimeout() throws {
        let stage = try scheduled { attributes in
            attributes.startToCloseTimeout = Interval.seconds(600).duration
            attributes.heartbeatTimeout = Interval.seconds(30).duration
        }
        try stage.pollActivity(5)
        stage.pass(.seconds(29))
        try stage.heartbeat(5)
        stage.crash(grace: .seconds(10))
        #expect(stage.passAndDecide(.milliseconds(29_999)).flatMap(\.outline).allSatisfy { !$0.hasPrefix("fact") })
        #expect(stage.passAndDecide(.milliseconds(1)).flatMap(\.outline) == ["fact activityRetryScheduled 5#2"])
    }

    enum Limit: CaseIterable { case startToClose, scheduleToClose, scheduleToStart, heartbeat }

    /// Deadlines of what began before the outage ended are put off to the end of the grace; others are not.
    @Test(arguments: Limit.allCases, [true, false])
    func deadlinesOfWorkBegunBeforeAnOutageWaitForTheGrace(_ limit: Limit, beganBefore: Bool) throws {
        let stage = try scheduled { attributes in
            let timeout = Interval.seconds(3).duration
            attributes.startToCloseTimeout = Interval.seconds(600).duration
            switch limit {
            case .startToClose: attributes.startToCloseTimeout = timeout
            case .scheduleToClose: attributes.scheduleToCloseTimeout = timeout
            case .scheduleToStart: attributes.scheduleToStartTimeout = timeout
            case .heartbeat: attributes.heartbeatTimeout = timeout
            }
        }
        if limit != .scheduleToStart { try stage.pollActivity(5) }
        let end = stage.now + .seconds(beganBefore ? 4 : -1)
        if beganBefore { stage.pass(.seconds(4)) }
        stage.outage = WorkerOutage(end: end, grace: .seconds(10))
        let rest: Int64 = beganBefore ? 10_000 : 3_000
        let early = stage.passAndDecide(.milliseconds(rest - 1)).flatMap(\.outline)
        #expect(early.allSatisfy { $0.hasPrefix("volatile") })
        #expect(!stage.passAndDecide(.milliseconds(1)).flatMap(\.outline).isEmpty)
    }

    /// The deadline was put off to the end of the grace. An earlier heartbeat must not move it back.
    @Test func heartbeatAfterAnOutageDoesNotShortenTheGrace() throws {
        let stage = try scheduled { attributes in
            attributes.startToCloseTimeout = Interval.seconds(600).duration
            attributes.heartbeatTimeout = Interval.seconds(3).duration
        }
        try stage.pollActivity(5)
        stage.pass(.seconds(4))
        stage.outage = WorkerOutage(end: stage.now, grace: .seconds(10))
        #expect(stage.passAndDecide(.milliseconds(1)).flatMap(\.outline).allSatisfy { $0.hasPrefix("volatile") })
        try stage.heartbeat(5)
        #expect(stage.passAndDecide(.milliseconds(9_998)).flatMap(\.outline).allSatisfy { $0.hasPrefix("volatile") })
        #expect(stage.passAndDecide(.milliseconds(1)).flatMap(\.outline) == ["fact activityRetryScheduled 5#2"])
    }

    @Test func overdueWorkflowTaskMayBeAnsweredAfterAnOutage() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        stage.pass(.seconds(12))
        stage.outage = WorkerOutage(end: stage.now, grace: .seconds(10))
        #expect(stage.passAndDecide(.seconds(9)).flatMap(\.eventOutline).isEmpty)
        try stage.complete()
        #expect(stage.history.last?.eventType == .workflowTaskCompleted)
    }
}

@Suite struct HeartbeatTests {
    private func started() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(
            Samples.schedule("a") {
                $0.startToCloseTimeout = Interval.seconds(60).duration
                $0.heartbeatTimeout = Interval.seconds(2).duration
            }
        )
        try stage.pollActivity(5)
        return stage
    }

    @Test func heartbeatMovesItsDeadlineAndIsVolatile() throws {
        let stage = try started()
        stage.pass(.milliseconds(1_500))
        let decision = try stage.heartbeat(5, "half way")
        #expect(decision.outline == ["volatile heartbeat 5"])
        #expect(!decision.isDurable)
        #expect(
            stage.passAndDecide(.milliseconds(1_900)).flatMap(\.outline) == [
                "volatile deadlineMoved activityHeartbeat 5"
            ]
        )
        let due = stage.passAndDecide(.milliseconds(100))
        #expect(due.flatMap(\.outline) == ["fact activityRetryScheduled 5#2"])
        #expect(stage.execution.durable.activities[5]?.heartbeatDetails == Samples.payloads("half way"))
        // The details are kept for the next attempt and are not part of the failure.
        guard
            case .timeoutFailureInfo(let info) = try stage.execution.durable.activities[5]?.lastFailure?.decoded()
                .failureInfo
        else {
            Issue.record("no timeout")
            return
        }
        #expect(info.timeoutType == .heartbeat)
        #expect(info.lastHeartbeatDetails == nil)
    }

    @Test func heartbeatWithoutDetailsKeepsEarlierDetails() throws {
        let stage = try started()
        try stage.heartbeat(5, "half way")
        try stage.heartbeat(5)
        try stage.failActivity(5)
        #expect(stage.execution.durable.activities[5]?.heartbeatDetails == Samples.payloads("half way"))
    }

    @Test func cancellationIsDeliveredOnAHeartbeat() throws {
        let stage = try started()
        guard case .heartbeat(HeartbeatAnswer(cancelRequested: false)) = try stage.heartbeat(5).reply else {
            Issue.record("cancelled too early")
            return
        }
        try stage.signal("go")
        try stage.run(Samples.cancelActivity(5))
        guard case .heartbeat(HeartbeatAnswer(cancelRequested: true)) = try stage.heartbeat(5).reply else {
            Issue.record("not cancelled")
            return
        }
    }

    @Test func oversizeDetailsFailTheActivityPermanently() throws {
        let stage = try started()
        stage.limits.payloadBytes = 100
        let decision = try stage.heartbeat(5, String(repeating: "x", count: 200))
        guard case .activityTaskFailedEventAttributes(let attributes) = decision.events[1].attributes,
            case .heartbeat(HeartbeatAnswer(cancelRequested: true)) = decision.reply
        else {
            Issue.record("not failed")
            return
        }
        #expect(try attributes.failure?.decoded().message == "Heartbeat details exceed size limit.")
        #expect(attributes.retryState == .nonRetryableFailure)
    }

    @Test func newOwnerGrantsRunningAttemptsTheGrace() throws {
        let stage = try started()
        stage.pass(.seconds(3))
        stage.crash(grace: .seconds(5))
        let early = stage.passAndDecide(.milliseconds(4_999)).flatMap(\.outline)
        #expect(early.allSatisfy { $0.hasPrefix("volatile") })
        #expect(stage.passAndDecide(.milliseconds(1)).flatMap(\.outline) == ["fact activityRetryScheduled 5#2"])
    }
}
