import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Commands that cannot be carried out: the task fails, and the worker is told why.
@Suite struct CommandRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let commands: [Command]
        let cause: WorkflowTaskFailedCause
        let message: String

        init(_ commands: [Command], _ cause: WorkflowTaskFailedCause, _ message: String) {
            self.commands = commands
            self.cause = cause
            self.message = message
        }

        var testDescription: String { message }
    }

    @Test(arguments: [
        Case(
            [Samples.schedule("")],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: activityId is not set"
        ),
        Case(
            [Samples.schedule("a") { $0.activityType = nil }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: activityType is not set"
        ),
        Case(
            [Samples.schedule("a") { $0.taskQueue = nil }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: taskQueue is not set"
        ),
        Case(
            [Samples.schedule("a") { $0.taskQueue = Samples.queue("") }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: missing task queue name"
        ),
        Case(
            [Samples.schedule("a") { $0.taskQueue = Samples.queue("/_sys/q") }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: task queue name cannot start with reserved prefix /_sys/"
        ),
        Case(
            [Samples.schedule("a") { $0.startToCloseTimeout = nil }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the "
                + "activity. ActivityId=a ActivityType=book_car"
        ),
        Case(
            [Samples.schedule("a") { $0.startToCloseTimeout?.seconds = -1 }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: invalid StartToCloseTimeout: negative duration"
        ),
        Case(
            [Samples.schedule("a") { $0.retryPolicy = RetryPolicy.with { $0.backoffCoefficient = 0.5 } }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: BackoffCoefficient cannot be less than 1 on retry policy."
        ),
        Case(
            [
                Samples.schedule("a") {
                    $0.retryPolicy = .with { $0.maximumInterval = Interval.milliseconds(500).duration }
                }
            ],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: MaximumInterval cannot be less than InitialInterval on retry policy."
        ),
        Case(
            [
                Samples.schedule("a") {
                    $0.retryPolicy = .with { $0.initialInterval = Interval(nanoseconds: -1).duration }
                }
            ],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: invalid InitialInterval set on retry policy: negative duration"
        ),
        Case(
            [Samples.schedule("a") { $0.retryPolicy = .with { $0.nonRetryableErrorTypes = ["TemporalTimeout:Late"] } }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: Invalid timeout type value: Late."
        ),
        Case(
            [Samples.schedule(String(repeating: "x", count: 1_001))],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: activityId exceeds length limit. Length=1001 Limit=1000"
        ),
        Case(
            [Samples.schedule("a\0")],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: activityId must not contain NUL."
        ),
        Case(
            [Samples.schedule("a"), Samples.schedule("a")],
            .scheduleActivityDuplicateID,
            "ScheduleActivityDuplicateId: invalid history builder state for action: add-activitytask-scheduled-event, "
                + "ActivityID: a"
        ),
        Case(
            [Samples.cancelActivity(77)],
            .badRequestCancelActivityAttributes,
            "BadRequestCancelActivityAttributes: invalid history builder state for action: "
                + "add-activitytask-cancel-requested-event, ScheduledEventID: 77"
        ),
        Case(
            [Samples.startTimer("", .seconds(1))],
            .badStartTimerAttributes,
            "BadStartTimerAttributes: TimerId is not set on StartTimerCommand."
        ),
        Case(
            [Samples.startTimer("t", Interval(nanoseconds: -1))],
            .badStartTimerAttributes,
            "BadStartTimerAttributes: An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. "
                + "TimerId=t."
        ),
        Case(
            [Samples.startTimer("t", .seconds(1)), Samples.startTimer("t", .seconds(1))],
            .startTimerDuplicateID,
            "StartTimerDuplicateId: invalid history builder state for action: add-timer-started-event, TimerID: t"
        ),
        Case(
            [Samples.cancelTimer("unknown")],
            .badCancelTimerAttributes,
            "BadCancelTimerAttributes: invalid history builder state for action: add-timer-canceled-event, "
                + "TimerID: unknown"
        ),
        Case(
            [Samples.startTimer(String(repeating: "x", count: 1_001), .seconds(1))],
            .badStartTimerAttributes,
            "BadStartTimerAttributes: TimerId on StartTimerCommand exceeds length limit. "
                + "TimerId=\(String(repeating: "x", count: 1_001)) Length=1001 Limit=1000"
        ),
        Case(
            [Samples.marker("")],
            .badRecordMarkerAttributes,
            "BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand."
        ),
        Case(
            [Samples.fail(nil)],
            .badFailWorkflowExecutionAttributes,
            "BadFailWorkflowExecutionAttributes: Failure is not set on FailWorkflowExecutionCommand."
        ),
        Case(
            [Samples.scheduleNexusOperation()],
            .unspecified,
            "Unspecified: ScheduleNexusOperation is not available in this version of the server"
        ),
    ])
    func invalidCommandFailsTheTask(_ bad: Case) throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        let decision = try stage.complete { $0.commands = [Samples.marker("before")] + bad.commands }
        // No command takes effect, not even a valid one.
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "fact workflowTaskRetried #2",
                "offer workflow 0#2 on travel",
            ]
        )
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[1].attributes,
            case .refused(let error) = decision.reply
        else {
            Issue.record("not refused")
            return
        }
        #expect(attributes.cause == bad.cause)
        let failure = try #require(try attributes.failure?.decoded())
        #expect(failure.message == bad.message)
        #expect(failure.source.isEmpty)
        #expect(failure.failureInfo == .serverFailureInfo(ServerFailureInfo()))
        #expect(error.code == .invalidArgument)
        #expect(error.message == bad.message)
    }

    @Test func invalidCommandInALaterAttemptLeavesTheTaskRunning() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.marker(""))
        try stage.pollWorkflowTask()
        let state = stage.execution.durable
        for _ in 0..<2 {
            let error = #expect(throws: RequestError.self) { try stage.complete(Samples.marker("")) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message == "BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand.")
        }
        #expect(stage.execution.durable == state)
        let due = stage.passAndDecide(.seconds(10))
        #expect(due.map(\.outline) == [["fact workflowTaskRetried #3", "offer workflow 0#3 on travel"]])
        // A valid completion is accepted, even after an invalid one.
        try stage.pollWorkflowTask()
        #expect(throws: RequestError.self) { try stage.complete(Samples.marker("")) }
        try stage.complete(Samples.complete())
        #expect(stage.execution.durable.status == .completed)
    }

    @Test func closingALaterAttemptWithBufferedEventsFailsAtOnce() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.marker(""))
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile")
        #expect(
            try stage.complete(Samples.complete("too early")).outline == [
                "5 WorkflowExecutionSignaled", "6 WorkflowTaskScheduled", "offer workflow 6#1 on travel",
            ]
        )
    }

    @Test func closingWithABufferedSignalIsUnhandled() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile")
        let decision = try stage.complete(Samples.complete("too early"))
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled",
                "6 WorkflowTaskScheduled", "offer workflow 6#1 on travel",
            ]
        )
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[1].attributes,
            case .refused(let error) = decision.reply
        else {
            Issue.record("not refused")
            return
        }
        #expect(attributes.cause == .unhandledCommand)
        #expect(error.message == "UnhandledCommand")
        // The next task shows the signal to the workflow code.
        try stage.run(Samples.complete("in time"))
        #expect(stage.execution.durable.status == .completed)
    }

    @Test(arguments: [Samples.fail(Samples.failure("no")), Samples.cancelWorkflow()])
    func everyClosingCommandWaitsForBufferedEvents(command: Command) throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.cancel()
        try stage.complete(command)
        #expect(stage.execution.isRunning)
    }

    @Test func commandAfterTheClosingCommandIsRefusedAndTheTaskKeepsRunning() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        let error = #expect(throws: RequestError.self) {
            try stage.complete(Samples.complete(), Samples.startTimer("t", .seconds(1)))
        }
        #expect(error?.code == .invalidArgument)
        #expect(
            error?.message == "invalid command sequence: [CompleteWorkflowExecution, StartTimer], "
                + "command CompleteWorkflowExecution must be the last command."
        )
        try stage.complete(Samples.complete())
        #expect(stage.execution.durable.status == .completed)
    }

    @Test func oversizeResultTerminatesTheRun() throws {
        let stage = Stage()
        stage.limits.payloadBytes = 100
        try stage.start { $0.input = nil }
        try stage.pollWorkflowTask()
        let decision = try stage.complete(Samples.complete(String(repeating: "x", count: 200)))
        #expect(
            decision.outline == ["3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionTerminated"]
        )
        let message =
            "BadScheduleActivityAttributes: CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit."
        guard case .workflowExecutionTerminatedEventAttributes(let attributes) = decision.events[2].attributes,
            case .refused(let error) = decision.reply
        else {
            Issue.record("not refused")
            return
        }
        #expect(attributes.reason == message)
        #expect(attributes.identity == "history-service")
        #expect(error.message == message)
    }

    @Test(arguments: [
        Case(
            [Samples.schedule("a") { $0.input = Samples.payloads(String(repeating: "x", count: 200)) }],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: ScheduleActivityTaskCommandAttributes.Input exceeds size limit."
        ),
        Case(
            [
                Samples.marker(
                    "m",
                    details: ["a": String(repeating: "x", count: 60), "b": String(repeating: "x", count: 60)]
                )
            ],
            .badRecordMarkerAttributes,
            "BadRecordMarkerAttributes: RecordMarkerCommandAttributes.Details exceeds size limit."
        ),
        Case(
            [Samples.fail(Samples.failure(String(repeating: "x", count: 200)))],
            .badFailWorkflowExecutionAttributes,
            "BadFailWorkflowExecutionAttributes: FailWorkflowExecutionCommandAttributes.Failure exceeds size limit."
        ),
        Case(
            [Samples.cancelWorkflow(String(repeating: "x", count: 200))],
            .badScheduleActivityAttributes,
            "BadScheduleActivityAttributes: CancelWorkflowExecutionCommandAttributes.Details exceeds size limit."
        ),
    ])
    func oversizeCommandsTerminateTheRun(_ bad: Case) throws {
        let stage = Stage()
        stage.limits.payloadBytes = 100
        try stage.start { $0.input = nil }
        try stage.pollWorkflowTask()
        let decision = try stage.complete { $0.commands = bad.commands }
        #expect(stage.execution.durable.status == .terminated)
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[1].attributes,
            case .refused(let error) = decision.reply
        else {
            Issue.record("not refused")
            return
        }
        #expect(attributes.cause == bad.cause)
        #expect(error.message == bad.message)
    }
}
