import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// What operators do to pending activities: pause, unpause, reset, change of options.
@Suite struct ActivityOperationTests {
    /// A run with one activity `a`, event 5, that waits for a worker.
    private func scheduled(
        _ adjust: (inout ScheduleActivityTaskCommandAttributes) -> Void = { _ in }
    ) throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a", adjust))
        return stage
    }

    @discardableResult
    private func operate(
        _ stage: Stage,
        _ operation: ActivityOperation,
        on selection: ActivitySelection = .id("a"),
        random: UInt64 = 7
    ) throws(RequestError) -> Decision {
        stage.apply(
            try stage.execution.decide(
                operation,
                on: selection,
                identity: "operator",
                random: random,
                at: stage.now,
                limits: stage.limits
            )
        )
    }

    private func activity(_ stage: Stage) throws -> PendingActivity {
        try #require(stage.execution.durable.activities[5])
    }

    /// Starts the waiting attempt under its number.
    private func poll(_ stage: Stage) throws {
        try stage.pollActivity(5, attempt: try activity(stage).number)
    }

    private let pause = ActivityOperation.pause(reason: "maintenance")
    private let unpause = ActivityOperation.unpause(resetsAttempts: false, resetsHeartbeat: false, jitter: .zero)
    private let reset = ActivityOperation.reset(
        resetsHeartbeat: false,
        keepsPaused: false,
        restoresOptions: false,
        jitter: .zero
    )

    // MARK: Pause

    @Test func pausedActivityIsGivenToNobody() throws {
        let stage = try scheduled()
        #expect(try operate(stage, pause).outline == ["fact activityPaused 5"])
        #expect(throws: RequestError.self) { try stage.pollActivity(5) }
        #expect(try operate(stage, pause).outline.isEmpty)
        let expected = ActivityPause(at: stage.now, identity: "operator", reason: "maintenance")
        #expect(try activity(stage).machine.pause == expected)
        #expect(stage.execution.dueTasks().isEmpty)
    }

    @Test func unpausedActivityIsOfferedAgainAndItsOldTaskIsVoid() throws {
        let stage = try scheduled()
        try operate(stage, pause)
        #expect(try operate(stage, unpause).outline == ["fact activityUnpaused 5"])
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#3 on travel"])
        #expect(throws: RequestError.self) { try stage.pollActivity(5, attempt: 1) }
        try stage.pollActivity(5, attempt: 3)
        #expect(try activity(stage).attempt == 1)
        // Nothing is left to unpause.
        #expect(try operate(stage, unpause).outline.isEmpty)
    }

    @Test func jitterSpreadsTheUnpausedAttempts() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"), Samples.schedule("b"))
        try operate(stage, pause, on: .all)
        let jitter = Interval.seconds(60)
        try operate(stage, .unpause(resetsAttempts: false, resetsHeartbeat: false, jitter: jitter), on: .all)
        let delays = stage.execution.durable.activities.values.map { $0.attemptScheduledAt - stage.now }
        #expect(delays.allSatisfy { $0 >= .zero && $0 < jitter })
        #expect(Set(delays).count == 2)
    }

    @Test func nothingOfAPausedActivityTimesOut() throws {
        let stage = try scheduled {
            $0.scheduleToStartTimeout = Interval.seconds(1).duration
            $0.scheduleToCloseTimeout = Interval.seconds(60).duration
        }
        try operate(stage, pause)
        #expect(stage.passAndDecide(.seconds(100)).flatMap(\.eventOutline).isEmpty)
        try operate(stage, unpause)
        // Its own deadline is over.
        #expect(
            stage.passAndDecide(.zero).flatMap(\.eventOutline) == ["6 ActivityTaskTimedOut", "7 WorkflowTaskScheduled"]
        )
    }

    @Test func scheduleToStartCountsFromTheUnpause() throws {
        let stage = try scheduled { $0.scheduleToStartTimeout = Interval.seconds(10).duration }
        try operate(stage, pause)
        stage.passAndDecide(.seconds(100))
        try operate(stage, unpause)
        #expect(stage.passAndDecide(.seconds(9)).flatMap(\.eventOutline).isEmpty)
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.eventOutline).first == "6 ActivityTaskTimedOut")
    }

    @Test func runningAttemptOfAPausedActivityTimesOutWhenItIsUnpaused() throws {
        let stage = try scheduled { $0.heartbeatTimeout = Interval.seconds(2).duration }
        try stage.pollActivity(5)
        try operate(stage, pause)
        #expect(stage.passAndDecide(.seconds(100)).flatMap(\.outline).isEmpty)
        #expect(try stage.heartbeat(5).reply.heartbeat == HeartbeatAnswer(isPaused: true))
        try operate(stage, unpause)
        #expect(stage.passAndDecide(.zero).flatMap(\.outline).contains("fact activityRetryScheduled 5#2"))
    }

    @Test func failureOfAPausedAttemptWaitsForTheUnpause() throws {
        let stage = try scheduled { $0.retryPolicy = .with { $0.maximumAttempts = 1 } }
        try stage.pollActivity(5)
        try operate(stage, pause)
        // As often as it takes: the maximum does not end a paused activity.
        #expect(try stage.failActivity(5).outline == ["fact activityRetryScheduled 5#2"])
        #expect(stage.passAndDecide(.seconds(100)).flatMap(\.outline).isEmpty)
        try operate(stage, unpause)
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#3 on travel"])
        try poll(stage)
        #expect(try activity(stage).attempt == 2)
        #expect(try activity(stage).lastFailure == nil)
    }

    @Test func failureThatIsNotRetriedEndsAPausedActivity() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try operate(stage, pause)
        let decision = try stage.failActivity(5, Samples.failure("fatal", nonRetryable: true))
        #expect(decision.eventOutline.contains("7 ActivityTaskFailed"))
    }

    @Test func pausedActivityMayBeCompletedAndCancelled() throws {
        let running = try scheduled()
        try running.pollActivity(5)
        try operate(running, pause)
        #expect(try running.completeActivity(5).eventOutline.contains("7 ActivityTaskCompleted"))
        let waiting = try scheduled()
        try operate(waiting, pause)
        try waiting.signal("go")
        let decision = try waiting.run(Samples.cancelActivity(5))
        #expect(decision.eventOutline.contains { $0.hasSuffix("ActivityTaskCanceled") })
    }

    @Test func returnedAttemptOfAPausedActivityIsNotOffered() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try operate(stage, pause)
        #expect(stage.returnActivity(5).outline == ["fact activityReturned 5#1"])
        try operate(stage, unpause)
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#2 on travel"])
    }

    @Test func unpauseResetsAttemptsAndHeartbeatWhenAsked() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try stage.failActivity(5, heartbeat: "half")
        try operate(stage, pause)
        try operate(stage, .unpause(resetsAttempts: true, resetsHeartbeat: true, jitter: .zero))
        let activity = try activity(stage)
        #expect(activity.attempt == 1)
        #expect(activity.heartbeatDetails == nil)
        try poll(stage)
    }

    // MARK: Reset

    @Test func waitingActivityStartsOverAtOnce() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try stage.failActivity(5, heartbeat: "half")
        #expect(try operate(stage, reset).outline == ["fact activityReset 5"])
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#3 on travel"])
        let activity = try activity(stage)
        #expect(activity.attempt == 1)
        #expect(activity.lastFailure == nil)
        #expect(activity.heartbeatDetails == Samples.payloads("half"))
        #expect(!activity.machine.isReset)
    }

    @Test func runningAttemptLearnsOfTheReset() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try stage.failActivity(5)
        stage.passAndDecide(.seconds(1))
        try stage.pollActivity(5, attempt: 2)
        let forgetful = ActivityOperation.reset(
            resetsHeartbeat: true,
            keepsPaused: false,
            restoresOptions: false,
            jitter: .zero
        )
        try operate(stage, forgetful)
        #expect(try activity(stage).attempt == 1)
        // The token of the second attempt is good still.
        #expect(try stage.heartbeat(5, attempt: 2, "half").reply.heartbeat == HeartbeatAnswer(isReset: true))
        #expect(
            try stage.failActivity(5, attempt: 2).outline == ["fact activityRetryScheduled 5#2"]
        )
        let activity = try activity(stage)
        #expect(activity.heartbeatDetails == nil)
        #expect(!activity.machine.isReset)
    }

    @Test func resetKeepsTheDeadlinesOfTheRunningAttempt() throws {
        let stage = try scheduled { $0.heartbeatTimeout = Interval.seconds(2).duration }
        try stage.pollActivity(5)
        try operate(stage, reset)
        stage.passAndDecide(.seconds(1))
        try stage.heartbeat(5)
        #expect(stage.passAndDecide(.milliseconds(1_500)).flatMap(\.outline).filter { $0.hasPrefix("fact") }.isEmpty)
        #expect(
            stage.passAndDecide(.seconds(1)).flatMap(\.outline).contains("fact activityRetryScheduled 5#2")
        )
    }

    @Test func resetKeepsAnActivityPausedWhenAsked() throws {
        let stage = try scheduled()
        try operate(stage, pause)
        let keeping = ActivityOperation.reset(
            resetsHeartbeat: false,
            keepsPaused: true,
            restoresOptions: false,
            jitter: .zero
        )
        try operate(stage, keeping)
        #expect(try activity(stage).isPaused)
        #expect(stage.passAndDecide(.seconds(10)).flatMap(\.outline).isEmpty)
        try operate(stage, reset)
        #expect(try !activity(stage).isPaused)
        #expect(stage.passAndDecide(.zero).flatMap(\.outline).count == 1)
    }

    // MARK: Options

    private func options(_ fill: (inout ActivityOptions) -> Void) -> ActivityOptions {
        var options = ActivityOptions()
        fill(&options)
        return options
    }

    @Test func changedTimeoutsCountForTheRunningAttempt() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        let longer = options { $0.startToCloseTimeout = Interval.seconds(50).duration }
        let decision = try operate(stage, .changeOptions(longer, mask: ["startToCloseTimeout"]))
        guard case .activityOptions(let changed) = decision.reply else {
            Issue.record("no options")
            return
        }
        #expect(changed.startToCloseTimeout == Interval.seconds(50).duration)
        #expect(changed.taskQueue?.name == "travel")
        #expect(stage.passAndDecide(.seconds(49)).flatMap(\.outline).isEmpty)
        let shorter = options { $0.startToCloseTimeout = Interval.seconds(20).duration }
        try operate(stage, .changeOptions(shorter, mask: ["start_to_close_timeout"]))
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["fact activityRetryScheduled 5#2"])
    }

    @Test func waitingActivityMovesToAnotherQueue() throws {
        let stage = try scheduled()
        try operate(stage, .changeOptions(options { $0.taskQueue = Samples.queue("other") }, mask: ["task_queue.name"]))
        #expect(throws: RequestError.self) { try stage.pollActivity(5, attempt: 1) }
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#2 on other"])
        try operate(stage, .restoreOptions)
        #expect(stage.passAndDecide(.zero).flatMap(\.outline) == ["offer activity 5#3 on travel"])
        #expect(try operate(stage, .restoreOptions).outline.isEmpty)
    }

    @Test func backoffIsReckonedAnew() throws {
        let stage = try scheduled { $0.retryPolicy = .with { $0.initialInterval = Interval.seconds(600).duration } }
        try stage.pollActivity(5)
        try stage.failActivity(5)
        let quick = options { $0.retryPolicy = .with { $0.initialInterval = Interval.seconds(2).duration } }
        try operate(stage, .changeOptions(quick, mask: ["retry_policy.initial_interval"]))
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.outline).isEmpty)
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.outline) == ["offer activity 5#3 on travel"])
        #expect(try activity(stage).attempt == 2)
    }

    @Test func invalidOptionsAreRefused() throws {
        let stage = try scheduled()
        let wrong: [(ActivityOptions, [String], String)] = [
            (options { _ in }, ["task_queue.name"], "TaskQueue is not provided"),
            (options { _ in }, ["retry_policy"], "RetryPolicy is not provided"),
            (options { _ in }, ["priority.priority_key"], "Priority is not provided"),
            (
                options { $0.retryPolicy = .with { $0.backoffCoefficient = 0.5 } },
                ["retry_policy.backoff_coefficient"],
                "BackoffCoefficient cannot be less than 1 on retry policy."
            ),
            (
                options { _ in }, ["start_to_close_timeout"],
                "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
                    + "ActivityId=a ActivityType=book_car"
            ),
        ]
        for (options, mask, message) in wrong {
            let error = #expect(throws: RequestError.self) {
                try operate(stage, .changeOptions(options, mask: mask))
            }
            #expect(error?.message == message)
        }
        // Names that nobody knows change nothing.
        try operate(stage, .changeOptions(options { _ in }, mask: ["none"]))
        #expect(try activity(stage).startToClose == .seconds(5))
    }

    @Test func operationsNeedAPendingActivityOfAnOpenRun() throws {
        let stage = try scheduled()
        for selection in [ActivitySelection.id("b"), .type("other")] {
            let error = #expect(throws: RequestError.self) { try operate(stage, pause, on: selection) }
            #expect(error?.code == .notFound)
        }
        try operate(stage, pause, on: .type("book_car"))
        #expect(try activity(stage).isPaused)
        try stage.terminate()
        let closed = #expect(throws: RequestError.self) { try operate(stage, unpause) }
        #expect(closed?.message == RequestError.workflowClosed.message)
    }
}

extension Decision.Reply {
    fileprivate var heartbeat: HeartbeatAnswer? {
        if case .heartbeat(let answer) = self { answer } else { nil }
    }
}
