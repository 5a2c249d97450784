import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// The command that ends a run and lets another one follow.
@Suite struct ContinueAsNewTests {
    private func started(
        origin: CommandOrigin? = nil,
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> Stage {
        let stage = Stage()
        try stage.start(origin: origin, adjust)
        return stage
    }

    private func continued(_ decision: Decision) throws -> WorkflowExecutionContinuedAsNewEventAttributes {
        guard case .workflowExecutionContinuedAsNewEventAttributes(let attributes)? = decision.events.last?.attributes
        else { throw RequestError.invalidArgument("the run did not continue: \(decision.outline)") }
        return attributes
    }

    private func firstEvent(_ stage: Stage) throws -> WorkflowExecutionStartedEventAttributes {
        guard case .workflowExecutionStartedEventAttributes(let attributes)? = stage.history.first?.attributes else {
            throw RequestError.invalidArgument("the run did not start")
        }
        return attributes
    }

    /// A sender repeats a message whose answer was lost, and may reach the next run with it.
    @Test func nextRunKnowsTheNewestMessagesOfOthers() throws {
        func message(_ sender: RunID, _ eventID: Int64) -> String { "\(sender)/\(eventID)" }
        let stage = try started()
        for number in 1...20 { try stage.signal("go", requestID: message(Samples.parentRunID, Int64(number))) }
        try stage.signal("go", requestID: message(Samples.runID, 7))
        try stage.signal("go", requestID: "a client's")
        let decision = try stage.run(Samples.continueAsNew())
        var chain = try #require(Stage(following: decision))
        for _ in 0..<2 {
            #expect(chain.execution.hasSeen(message(Samples.parentRunID, 20)))
            #expect(chain.execution.hasSeen(message(Samples.parentRunID, 5)))
            #expect(!chain.execution.hasSeen(message(Samples.parentRunID, 4)))
            #expect(chain.execution.hasSeen(message(Samples.runID, 7)))
            #expect(!chain.execution.hasSeen("a client's"))
            #expect(chain.execution.durable.startRequestID == stage.execution.durable.startRequestID)
            let count = chain.entries.count
            try chain.signal("go", requestID: message(Samples.parentRunID, 20))
            #expect(chain.entries.count == count)
            // They are read back from the journal, and go on to the run after the next.
            chain.crash()
            chain.pass(.seconds(2))
            chain.passAndDecide(.zero)
            chain = try #require(Stage(following: try chain.run(Samples.continueAsNew())))
        }
    }

    /// A cancel request reaches one run, however often it is sent; the next run may have its own.
    @Test func nextRunKnowsTheCancelRequestsOfOthers() throws {
        func request(_ eventID: Int64, to stage: Stage) throws -> Int {
            let sender = MessageSender(workflowID: "parent", runID: Samples.parentRunID, eventID: eventID)
            let count = stage.entries.count
            try stage.cancel(requestID: "\(Samples.parentRunID)/\(eventID)", sender: sender)
            return stage.entries.count - count
        }
        let stage = try started()
        #expect(try request(5, to: stage) > 0)
        #expect(try request(5, to: stage) == 0)
        // The run is cancelled already, but this one may be sent again, too.
        #expect(try request(6, to: stage) == 1)
        let next = try #require(Stage(following: try stage.run(Samples.continueAsNew())))
        next.crash()
        #expect(try request(5, to: next) == 0)
        #expect(try request(6, to: next) == 0)
        #expect(!next.execution.durable.cancelRequested)
        #expect(try request(9, to: next) > 0)
        #expect(next.execution.durable.cancelRequested)
        // A client's request is its own, whatever its id.
        let client = try started()
        try client.signal("go", requestID: "one")
        try client.cancel(requestID: "one")
        #expect(client.execution.durable.cancelRequested)
    }

    @Test func nextRunInheritsWhatTheCommandLeavesOut() throws {
        let stage = try started { request in
            request.workflowExecutionTimeout = Interval.seconds(500).duration
            request.workflowRunTimeout = Interval.seconds(400).duration
            request.workflowTaskTimeout = Interval.seconds(30).duration
            request.memo = Samples.memo(["a": "1"])
            request.priority = .with { $0.priorityKey = 2 }
        }
        stage.pass(.seconds(2))
        let decision = try stage.run(Samples.continueAsNew())
        let event = try continued(decision)
        #expect(event.newExecutionRunID == Samples.nextRunID.description)
        #expect(event.workflowType?.name == "TravelBooking")
        #expect(event.taskQueue?.name == "travel")
        #expect(Interval(event.workflowRunTimeout) == .seconds(400))
        #expect(event.initiator == .unspecified)
        #expect(stage.execution.durable.status == .continuedAsNew)
        #expect(stage.execution.nextDeadline == nil)

        let next = try #require(Stage(following: decision))
        let attributes = try firstEvent(next)
        #expect(attributes.continuedExecutionRunID == Samples.runID.description)
        #expect(attributes.firstExecutionRunID == Samples.runID.description)
        #expect(attributes.originalExecutionRunID == Samples.nextRunID.description)
        #expect(attributes.initiator == .workflow)
        #expect(attributes.attempt == 1)
        #expect(attributes.firstWorkflowTaskBackoff == nil)
        #expect(attributes.input == Samples.payloads("next"))
        #expect(attributes.identity.isEmpty)
        #expect(attributes.memo == nil)
        #expect(attributes.priority?.priorityKey == 2)
        #expect(Interval(attributes.workflowTaskTimeout) == .seconds(30))
        #expect(attributes.workflowExecutionExpirationTime == (Samples.noon + .seconds(500)).timestamp)
        #expect(next.execution.durable.executionDeadline == Samples.noon + .seconds(500))
        #expect(next.startDecision?.eventOutline == ["1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled"])
    }

    @Test func nextRunGetsWhatTheCommandSays() throws {
        let stage = try started()
        stage.pass(.seconds(2))
        let decision = try stage.run(
            Samples.continueAsNew { command in
                command.workflowType = .with { $0.name = "Other" }
                command.taskQueue = Samples.queue("elsewhere")
                command.backoffStartInterval = Interval.seconds(7).duration
                command.memo = Samples.memo(["b": "2"])
                command.searchAttributes = Samples.searchAttributes(["Place": "x"])
                command.failure = Samples.failure("carried")
                command.lastCompletionResult = Samples.payloads("last")
                command.retryPolicy = RetryPolicy()
                command.cronSchedule = "nonsense"
                command.initiator = .retry
            }
        )
        let next = try #require(Stage(following: decision))
        let attributes = try firstEvent(next)
        #expect(next.execution.durable.workflowType == "Other")
        #expect(next.execution.durable.taskQueue == "elsewhere")
        #expect(next.execution.durable.firstTaskDueAt == next.now + .seconds(7))
        #expect(next.startDecision?.eventOutline == ["1 WorkflowExecutionStarted"])
        #expect(attributes.continuedFailure == Samples.failure("carried"))
        #expect(attributes.lastCompletionResult == Samples.payloads("last"))
        #expect(Interval(attributes.retryPolicy?.initialInterval) == .seconds(1))
        #expect(attributes.cronSchedule == "nonsense")
        #expect(attributes.attempt == 2)
        #expect(attributes.memo == Samples.memo(["b": "2"]))
        #expect(attributes.searchAttributes == Samples.searchAttributes(["Place": "x"]))
    }

    @Test func shortRunLeavesTheRestOfItsSecondAsAPause() throws {
        let stage = try started()
        stage.pass(.milliseconds(300))
        let next = try #require(Stage(following: try stage.run(Samples.continueAsNew())))
        #expect(next.execution.durable.firstTaskBackoff == .milliseconds(700))
        next.passAndDecide(.milliseconds(700))
        #expect(next.historyOutline == ["1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled"])
    }

    @Test func chainPublishesOneAcceptanceAndOneOutcome() throws {
        let first = try started(origin: Samples.origin("2"))
        var events = first.startedStatus
        var stage = first
        for _ in 0..<3 {
            stage.pass(.seconds(2))
            let decision = try stage.run(Samples.continueAsNew())
            events += decision.statusEvents
            stage = try #require(Stage(following: decision))
            events += stage.startDecision?.statusEvents ?? []
            #expect(stage.startDecision?.facts.contains { $0.kind == "commandInherited" } == true)
            // The chain goes on when it is read back.
            stage.crash()
        }
        events += try stage.run(Samples.complete("result")).statusEvents
        #expect(events.map(\.status) == [.passed])
        #expect(events.map(\.sequence) == [2])
        #expect(events.first?.runID == Samples.nextRunID)
        #expect(events.first?.origin == Samples.origin("2"))
    }

    @Test func timeOfTheChainIsOverForItsLastRun() throws {
        let stage = try started { $0.workflowExecutionTimeout = Interval.seconds(10).duration }
        stage.pass(.seconds(4))
        let next = try #require(
            Stage(
                following: try stage.run(
                    Samples.continueAsNew { $0.workflowRunTimeout = Interval.seconds(100).duration }
                )
            )
        )
        #expect(next.execution.durable.runDeadline == Samples.noon + .seconds(10))
        let decisions = next.passAndDecide(.seconds(6))
        guard case .workflowExecutionTimedOutEventAttributes(let attributes)? = next.history.last?.attributes else {
            Issue.record("not timed out: \(decisions.map(\.outline))")
            return
        }
        #expect(attributes.retryState == .timeout)
        #expect(attributes.newExecutionRunID.isEmpty)
    }

    @Test func unseenSignalRefusesTheCommand() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile")
        let decision = try stage.complete(Samples.continueAsNew())
        #expect(decision.successor == nil)
        #expect(decision.outline.contains("5 WorkflowExecutionSignaled"))
        #expect(stage.execution.isRunning)
    }

    @Test func commandMustBeTheLastOne() throws {
        let stage = try started()
        try stage.pollWorkflowTask()
        let error = #expect(throws: RequestError.self) {
            try stage.complete(Samples.continueAsNew(), Samples.marker("late"))
        }
        #expect(
            error?.message == "invalid command sequence: [ContinueAsNewWorkflowExecution, RecordMarker], "
                + "command ContinueAsNewWorkflowExecution must be the last command."
        )
    }

    private static let refused: [(String, @Sendable (inout ContinueAsNewWorkflowExecutionCommandAttributes) -> Void)] =
        [
            (
                "error validating ContinueAsNewWorkflowExecutionCommand TaskQueue: task queue name cannot start with "
                    + "reserved prefix /_sys/. WorkflowType=TravelBooking "
                    + "TaskQueue=name:\"/_sys/queue\"  kind:TASK_QUEUE_KIND_NORMAL",
                { $0.taskQueue = Samples.queue("/_sys/queue") }
            ),
            (
                "Invalid WorkflowRunTimeout on ContinueAsNewWorkflowExecutionCommand: negative duration. "
                    + "WorkflowType=TravelBooking TaskQueue=name:\"travel\"  kind:TASK_QUEUE_KIND_NORMAL",
                { $0.workflowRunTimeout = .with { $0.seconds = -1 } }
            ),
            (
                "Invalid BackoffStartInterval on ContinueAsNewWorkflowExecutionCommand: negative duration. "
                    + "WorkflowType=TravelBooking TaskQueue=name:\"travel\"  kind:TASK_QUEUE_KIND_NORMAL",
                { $0.backoffStartInterval = .with { $0.nanos = -1 } }
            ),
            (
                "invalid WorkflowRetryPolicy on ContinueAsNewWorkflowExecutionCommand: BackoffCoefficient cannot be "
                    + "less than 1 on retry policy.. WorkflowType=TravelBooking "
                    + "TaskQueue=name:\"travel\"  kind:TASK_QUEUE_KIND_NORMAL",
                { $0.retryPolicy = .with { $0.backoffCoefficient = 0.5 } }
            ),
        ]

    @Test(arguments: refused.indices) func badCommandFailsTheTask(index: Int) throws {
        let (message, spoil) = Self.refused[index]
        let stage = try started()
        let decision = try stage.run(Samples.continueAsNew(spoil))
        guard case .workflowTaskFailedEventAttributes(let attributes)? = decision.events.last?.attributes else {
            Issue.record("not refused: \(decision.outline)")
            return
        }
        #expect(attributes.cause == .badContinueAsNewAttributes)
        #expect(try attributes.failure?.decoded().message == "BadContinueAsNewAttributes: \(message)")
        #expect(decision.successor == nil)
    }

    @Test func largeInputEndsTheRun() throws {
        let stage = try started()
        stage.limits.payloadBytes = 50
        let decision = try stage.run(
            Samples.continueAsNew { $0.input = Samples.payloads(String(repeating: "x", count: 60)) }
        )
        #expect(decision.successor == nil)
        #expect(stage.execution.durable.status == .terminated)
    }

    @Test func snapshotKeepsTheChain() throws {
        let stage = try started(origin: Samples.origin("2")) {
            $0.workflowExecutionTimeout = Interval.seconds(90).duration
        }
        stage.pass(.seconds(2))
        let command = Samples.continueAsNew {
            $0.initiator = .retry
            $0.retryPolicy = RetryPolicy()
        }
        let next = try #require(Stage(following: try stage.run(command)))
        let bytes = DurableStateCoding.encode(next.execution.durable)
        let decoded = try DurableStateCoding.decode(bytes, format: DurableStateCoding.format)
        #expect(decoded == next.execution.durable)
        #expect(decoded.attempt == 2)
        #expect(decoded.recurrence != nil)
        #expect(decoded.publishedStatusEvents == 1)
    }
}

extension Stage {
    /// The status events of a start that is not accepted anew.
    fileprivate var startedStatus: [StatusEvent] { startDecision?.statusEvents ?? [] }
}
