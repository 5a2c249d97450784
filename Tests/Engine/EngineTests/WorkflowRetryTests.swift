import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Retries of workflows, and the runs of a cron schedule.
@Suite struct WorkflowRetryTests {
    private func retried(
        attempts: Int32 = 0,
        origin: CommandOrigin? = nil,
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> Stage {
        let stage = Stage()
        try stage.start(origin: origin) { request in
            request.retryPolicy = .with {
                $0.maximumAttempts = attempts
                $0.initialInterval = Interval.seconds(2).duration
                $0.nonRetryableErrorTypes = ["Fatal"]
            }
            request.memo = Samples.memo(["a": "1"])
            adjust(&request)
        }
        stage.pass(.seconds(5))
        return stage
    }

    private func failed(_ decision: Decision) throws -> WorkflowExecutionFailedEventAttributes {
        guard case .workflowExecutionFailedEventAttributes(let attributes)? = decision.events.last?.attributes else {
            throw RequestError.invalidArgument("the run did not fail: \(decision.outline)")
        }
        return attributes
    }

    private func firstEvent(_ stage: Stage) throws -> WorkflowExecutionStartedEventAttributes {
        guard case .workflowExecutionStartedEventAttributes(let attributes)? = stage.history.first?.attributes else {
            throw RequestError.invalidArgument("the run did not start")
        }
        return attributes
    }

    @Test func failingRunIsFollowedByAnotherAttempt() throws {
        let stage = try retried(origin: Samples.origin("2"))
        let decision = try stage.run(Samples.fail(Samples.failure("no car")))
        let event = try failed(decision)
        #expect(event.retryState == .inProgress)
        #expect(event.newExecutionRunID == Samples.nextRunID.description)
        #expect(decision.statusEvents.isEmpty)
        #expect(stage.execution.durable.status == .failed)

        let next = try #require(Stage(following: decision))
        let attributes = try firstEvent(next)
        #expect(attributes.initiator == .retry)
        #expect(attributes.attempt == 2)
        #expect(attributes.continuedFailure == Samples.failure("no car"))
        #expect(attributes.input == Samples.payloads("input"))
        #expect(attributes.memo == Samples.memo(["a": "1"]))
        #expect(Interval(attributes.firstWorkflowTaskBackoff) == .seconds(2))
        #expect(Interval(attributes.retryPolicy?.maximumInterval) == .seconds(200))
        // The second attempt waits twice as long.
        next.passAndDecide(.seconds(2))
        let third = try #require(Stage(following: try next.run(Samples.fail(Samples.failure("no car")))))
        #expect(third.execution.durable.firstTaskBackoff == .seconds(4))
        #expect(third.execution.durable.attempt == 3)
    }

    @Test func lastAttemptSaysSoAndPublishesTheOutcome() throws {
        let first = try retried(attempts: 2, origin: Samples.origin("2"))
        let next = try #require(Stage(following: try first.run(Samples.fail(Samples.failure("1")))))
        next.passAndDecide(.seconds(2))
        let decision = try next.run(Samples.fail(Samples.failure("2")))
        #expect(try failed(decision).retryState == .maximumAttemptsReached)
        #expect(decision.successor == nil)
        #expect(decision.statusEvents.map(\.status) == [.failed])
        #expect(decision.statusEvents.map(\.sequence) == [2])
    }

    @Test(arguments: [
        (Samples.failure("no", type: "Fatal"), RetryState.nonRetryableFailure),
        (Samples.failure("no", nonRetryable: true), .nonRetryableFailure),
    ])
    func finalFailureIsNotRetried(failure: RawMessage<Failure>, state: RetryState) throws {
        let decision = try retried().run(Samples.fail(failure))
        #expect(try failed(decision).retryState == state)
        #expect(decision.successor == nil)
    }

    @Test func retryThatComesTooLateIsNotMade() throws {
        let stage = try retried { $0.workflowExecutionTimeout = Interval.seconds(6).duration }
        let decision = try stage.run(Samples.fail(Samples.failure("no")))
        #expect(try failed(decision).retryState == .timeout)
        #expect(decision.successor == nil)
    }

    @Test func failureNamesItsOwnDelayUpToTheMaximum() throws {
        let soon = Samples.failure("soon", nextRetryDelay: .seconds(9))
        let next = try #require(Stage(following: try retried().run(Samples.fail(soon))))
        #expect(next.execution.durable.firstTaskBackoff == .seconds(9))
        let late = Samples.failure("late", nextRetryDelay: .seconds(9_999))
        let other = try #require(Stage(following: try retried().run(Samples.fail(late))))
        #expect(other.execution.durable.firstTaskBackoff == .seconds(200))
    }

    @Test func completedAndCancelledRunsAreNotRetried() throws {
        for command in [Samples.complete(), Samples.cancelWorkflow()] {
            let decision = try retried().run(command)
            #expect(decision.successor == nil)
        }
        #expect(try retried().terminate().successor == nil)
    }

    @Test func runThatTimesOutIsRetried() throws {
        let stage = try retried(attempts: 2) { $0.workflowRunTimeout = Interval.seconds(6).duration }
        let decision = try #require(stage.passAndDecide(.seconds(1)).last)
        guard case .workflowExecutionTimedOutEventAttributes(let event)? = decision.events.last?.attributes else {
            Issue.record("not timed out: \(decision.outline)")
            return
        }
        #expect(event.retryState == .inProgress)
        #expect(event.newExecutionRunID == Samples.nextRunID.description)
        let next = try #require(Stage(following: decision))
        let failure = try #require(try firstEvent(next).continuedFailure?.decoded())
        #expect(failure.message == "workflow timeout")
        #expect(failure.source == "Server")
        next.passAndDecide(.seconds(2))
        let last = try #require(next.passAndDecide(.seconds(6)).last)
        guard case .workflowExecutionTimedOutEventAttributes(let end)? = last.events.last?.attributes else {
            Issue.record("not timed out: \(last.outline)")
            return
        }
        #expect(end.retryState == .maximumAttemptsReached)
    }

    // MARK: Cron

    private func scheduled(
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> Stage {
        let stage = Stage()
        try stage.start { request in
            request.cronSchedule = "*/5 * * * *"
            adjust(&request)
        }
        return stage
    }

    @Test func firstRunWaitsForTheSchedule() throws {
        let stage = Stage()
        stage.pass(.seconds(90))
        try stage.start { $0.cronSchedule = "*/5 * * * *" }
        let attributes = try firstEvent(stage)
        #expect(attributes.initiator == .cronSchedule)
        #expect(attributes.cronSchedule == "*/5 * * * *")
        #expect(Interval(attributes.firstWorkflowTaskBackoff) == .seconds(210))
    }

    @Test func resultAndFailureGoToTheNextRun() throws {
        let first = try scheduled()
        first.passAndDecide(.seconds(300))
        first.pass(.seconds(10))
        let completed = try first.run(Samples.complete("one"))
        #expect(first.execution.durable.status == .completed)
        let second = try #require(Stage(following: completed))
        let attributes = try firstEvent(second)
        #expect(attributes.initiator == .cronSchedule)
        #expect(attributes.lastCompletionResult == Samples.payloads("one"))
        #expect(Interval(attributes.firstWorkflowTaskBackoff) == .seconds(290))

        second.passAndDecide(.seconds(290))
        let failed = try second.run(Samples.fail(Samples.failure("two")))
        #expect(try self.failed(failed).retryState == .retryPolicyNotSet)
        let third = try firstEvent(try #require(Stage(following: failed)))
        #expect(third.lastCompletionResult == Samples.payloads("one"))
        #expect(third.continuedFailure == Samples.failure("two"))
        #expect(third.attempt == 1)
    }

    @Test func slowRunSkipsTimesOfTheSchedule() throws {
        let stage = try scheduled()
        stage.passAndDecide(.seconds(300))
        stage.pass(.seconds(1_000))
        let next = try #require(Stage(following: try stage.run(Samples.complete())))
        #expect(next.execution.durable.firstTaskBackoff == .seconds(200))
    }

    @Test func cancelledRunEndsTheSchedule() throws {
        let stage = try scheduled()
        stage.passAndDecide(.seconds(300))
        #expect(try stage.run(Samples.cancelWorkflow()).successor == nil)
        #expect(try scheduled().terminate().successor == nil)
    }

    @Test func runThatTimesOutIsFollowedByTheNextOne() throws {
        let stage = try scheduled { $0.workflowRunTimeout = Interval.seconds(7).duration }
        stage.passAndDecide(.seconds(300))
        let decision = try #require(stage.passAndDecide(.seconds(7)).last)
        let next = try #require(Stage(following: decision))
        #expect(next.execution.durable.firstTaskBackoff == .seconds(293))
        #expect(try firstEvent(next).initiator == .cronSchedule)
    }

    @Test(arguments: [
        ("nonsense", "invalid CronSchedule."),
        ("0 0 30 2 *", "invalid CronSchedule, no time can be found to satisfy the schedule"),
    ])
    func badScheduleIsRefused(schedule: String, message: String) {
        let error = #expect(throws: RequestError.self) { try scheduled { $0.cronSchedule = schedule } }
        #expect(error?.message == message)
    }

    @Test func scheduleAndStartDelayExcludeEachOther() {
        let error = #expect(throws: RequestError.self) {
            try scheduled { $0.workflowStartDelay = Interval.seconds(1).duration }
        }
        #expect(error?.message == "CronSchedule and WorkflowStartDelay may not be used together.")
    }
}
