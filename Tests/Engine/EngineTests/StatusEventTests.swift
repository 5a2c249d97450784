import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Status events of commands from a topic.
@Suite struct StatusEventTests {
    private func commanded(_ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }) throws -> Stage {
        let stage = Stage()
        try stage.start(origin: Samples.origin("2"), adjust)
        return stage
    }

    @Test func commandedStartIsAccepted() throws {
        let stage = Stage()
        let decision = try stage.start(origin: Samples.origin("2"))
        #expect(
            decision.outline == [
                "1 WorkflowExecutionStarted", "fact requestSeen start", "fact commandAccepted 2",
                "2 WorkflowTaskScheduled", "offer workflow 2#1 on travel", "status accepted",
            ]
        )
        let event = decision.statusEvents[0]
        #expect(event.origin == Samples.origin("2"))
        #expect(event.sequence == 1)
        #expect(event.workflowID == "booking")
        #expect(event.workflowType == "TravelBooking")
        #expect(event.runID == Samples.runID)
        #expect(event.at == stage.now)
    }

    @Test func startOverGRPCHasNoStatusEvents() throws {
        let stage = Stage()
        #expect(try stage.start().statusEvents.isEmpty)
        #expect(try stage.run(Samples.complete()).statusEvents.isEmpty)
    }

    @Test func completedRunPasses() throws {
        let event = try #require(try commanded().run(Samples.complete("result")).statusEvents.first)
        #expect(event.status == .passed)
        #expect(event.sequence == 2)
        #expect(event.result == Samples.payloads("result"))
        #expect(event.origin == Samples.origin("2"))
    }

    @Test func compensatedSagaIsReported() throws {
        let failure = Samples.failure("rolled back", type: "SagaCompensated")
        let event = try #require(try commanded().run(Samples.fail(failure)).statusEvents.first)
        #expect(event.status == .compensated)
        #expect(event.failure == failure)
    }

    @Test(arguments: ["SagaCompensationFailed", "Broken", ""])
    func otherFailuresAreReportedAsFailed(type: String) throws {
        let failure = Samples.failure("no", type: type)
        let event = try #require(try commanded().run(Samples.fail(failure)).statusEvents.first)
        #expect(event.status == .failed)
        #expect(event.failure == failure)
        #expect(event.sequence == 2)
    }

    @Test func cancelledRunIsReported() throws {
        let event = try #require(try commanded().run(Samples.cancelWorkflow("undone")).statusEvents.first)
        #expect(event.status == .cancelled)
        #expect(event.details == Samples.payloads("undone"))
    }

    @Test func terminatedRunIsReported() throws {
        let event = try #require(try commanded().terminate("enough").statusEvents.first)
        #expect(event.status == .terminated)
        #expect(event.reasonMessage == "enough")
    }

    @Test func timedOutRunIsReported() throws {
        let stage = try commanded { $0.workflowRunTimeout = Interval.seconds(1).duration }
        #expect(stage.passAndDecide(.seconds(1)).flatMap(\.statusEvents).map(\.status) == [.timedOut])
    }

    @Test func everyCommandToTheRunIsDelivered() throws {
        let stage = try commanded()
        #expect(
            try stage.signal("s", requestID: "3", origin: Samples.origin("3")).statusEvents.map(\.status) == [
                .delivered
            ]
        )
        #expect(try stage.cancel(origin: Samples.origin("4")).statusEvents.map(\.origin.commandID) == ["4"])
        let last = try stage.terminate(origin: Samples.origin("5")).statusEvents
        #expect(last.map(\.status) == [.delivered, .terminated])
        #expect(last.map(\.origin.commandID) == ["5", "2"])
        #expect(last.map(\.sequence) == [1, 2])
    }

    @Test func bufferedSignalIsDelivered() throws {
        let stage = try commanded()
        try stage.pollWorkflowTask()
        #expect(try stage.signal("s", origin: Samples.origin("3")).outline.last == "status delivered")
        #expect(try stage.complete().statusEvents.isEmpty)
    }

    @Test func secondCancelIsDeliveredToo() throws {
        let stage = try commanded()
        try stage.cancel()
        let decision = try stage.cancel(origin: Samples.origin("4"))
        #expect(decision.outline == ["status delivered"])
        #expect(decision.isDurable)
    }

    @Test func originSurvivesACrash() throws {
        let stage = try commanded()
        stage.crash()
        #expect(try stage.run(Samples.complete()).statusEvents.map(\.origin) == [Samples.origin("2")])
    }
}
