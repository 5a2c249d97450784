import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct StartTests {
    @Test func startSchedulesTheFirstWorkflowTask() throws {
        let stage = Stage()
        let decision = try stage.start()
        #expect(
            decision.outline == [
                "1 WorkflowExecutionStarted", "fact requestSeen start", "2 WorkflowTaskScheduled",
                "offer workflow 2#1 on travel",
            ]
        )
        #expect(stage.execution.durable.startRequestID == "start")
    }

    @Test func startedEventCarriesTheRequestAndDefaults() throws {
        let stage = Stage()
        try stage.start {
            $0.memo = Samples.memo(["note": "remember"])
            $0.searchAttributes = Samples.searchAttributes(["Place": "x"])
            $0.priority = Priority()
        }
        let event = stage.history[0]
        guard case .workflowExecutionStartedEventAttributes(let attributes) = event.attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(event.eventTime == stage.now.timestamp)
        #expect(attributes.workflowType?.name == "TravelBooking")
        #expect(attributes.workflowID == "booking")
        #expect(attributes.taskQueue == Samples.queue("travel"))
        #expect(attributes.input == Samples.payloads("input"))
        #expect(attributes.identity == "client")
        #expect(attributes.attempt == 1)
        #expect(attributes.originalExecutionRunID == Samples.runID.description)
        #expect(attributes.firstExecutionRunID == Samples.runID.description)
        #expect(attributes.workflowTaskTimeout == Interval.seconds(10).duration)
        // Present with the value 0, unlike the timeouts.
        #expect(attributes.firstWorkflowTaskBackoff == Interval.zero.duration)
        #expect(attributes.workflowExecutionTimeout == nil)
        #expect(attributes.workflowRunTimeout == nil)
        #expect(attributes.workflowExecutionExpirationTime == nil)
        #expect(attributes.memo == Samples.memo(["note": "remember"]))
        #expect(attributes.searchAttributes == Samples.searchAttributes(["Place": "x"]))
        #expect(attributes.priority == Priority())
    }

    @Test func executionTimeoutClampsTheRunTimeoutAndBothClampTheTaskTimeout() throws {
        let stage = Stage()
        try stage.start {
            $0.workflowExecutionTimeout = Interval.seconds(50).duration
            $0.workflowRunTimeout = Interval.seconds(90).duration
            $0.workflowTaskTimeout = Interval.seconds(70).duration
        }
        guard case .workflowExecutionStartedEventAttributes(let attributes) = stage.history[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.workflowExecutionTimeout == Interval.seconds(50).duration)
        #expect(attributes.workflowRunTimeout == Interval.seconds(50).duration)
        #expect(attributes.workflowTaskTimeout == Interval.seconds(50).duration)
        #expect(attributes.workflowExecutionExpirationTime == (stage.now + .seconds(50)).timestamp)
    }

    @Test func taskTimeoutIsAtMostTwoMinutes() throws {
        let stage = Stage()
        try stage.start { $0.workflowTaskTimeout = Interval.seconds(1_000).duration }
        #expect(stage.execution.durable.taskTimeout == .seconds(120))
    }

    @Test func startDelayPostponesTheFirstTask() throws {
        let stage = Stage()
        let decision = try stage.start { $0.workflowStartDelay = Interval.seconds(5).duration }
        #expect(decision.outline == ["1 WorkflowExecutionStarted", "fact requestSeen start"])
        #expect(stage.passAndDecide(.seconds(4)).isEmpty)
        let due = stage.passAndDecide(.seconds(1))
        #expect(due.map(\.outline) == [["2 WorkflowTaskScheduled", "offer workflow 2#1 on travel"]])
    }

    @Test func signalDuringTheStartDelayIsRecordedAndDoesNotEndIt() throws {
        let stage = Stage()
        try stage.start { $0.workflowStartDelay = Interval.seconds(5).duration }
        let decision = try stage.signal("early")
        #expect(decision.outline == ["2 WorkflowExecutionSignaled"])
        #expect(stage.passAndDecide(.seconds(5)).map(\.eventOutline) == [["3 WorkflowTaskScheduled"]])
    }

    @Test func cancelEndsTheStartDelay() throws {
        let stage = Stage()
        try stage.start { $0.workflowStartDelay = Interval.seconds(5).duration }
        #expect(
            try stage.cancel().outline == [
                "2 WorkflowExecutionCancelRequested", "3 WorkflowTaskScheduled", "offer workflow 3#1 on travel",
            ]
        )
        #expect(stage.passAndDecide(.seconds(5)).flatMap(\.outline).isEmpty)
        try stage.run(Samples.cancelWorkflow())
        #expect(stage.execution.durable.status == .canceled)
    }

    @Test func queryDuringTheStartDelayIsRefused() throws {
        let stage = Stage()
        try stage.start { $0.workflowStartDelay = Interval.seconds(5).duration }
        let obstacle = try #require(stage.execution.queryObstacle)
        #expect(obstacle.code == .failedPrecondition)
        #expect(obstacle.message == "Workflow task is not scheduled yet.")
        stage.passAndDecide(.seconds(5))
        #expect(stage.execution.queryObstacle == nil)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let message: String
        let adjust: @Sendable (inout StartWorkflowExecutionRequest) -> Void

        init(_ message: String, _ adjust: @escaping @Sendable (inout StartWorkflowExecutionRequest) -> Void) {
            self.message = message
            self.adjust = adjust
        }

        var testDescription: String { message }
    }

    @Test(arguments: [
        Bad("WorkflowId is not set on request.") { $0.workflowID = "" },
        Bad("WorkflowType is not set on request.") { $0.workflowType = nil },
        Bad("taskQueue is not set") { $0.taskQueue = nil },
        Bad("WorkflowId exceeds maximum allowed length (1001/1000)") {
            $0.workflowID = String(repeating: "x", count: 1_001)
        },
        Bad("WorkflowId must not contain NUL.") { $0.workflowID = "a\0b" },
        Bad("Blob data size exceeds limit.") { $0.input = Samples.payloads(String(repeating: "x", count: 3 << 20)) },
        Bad("An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration") {
            $0.workflowRunTimeout = ProtobufDuration(seconds: -1, nanos: 0)
        },
    ])
    func invalidRequestsAreRefused(_ bad: Bad) {
        let error = #expect(throws: RequestError.self) { try Samples.start(bad.adjust) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == bad.message)
    }
}
