import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// Events that readers of a history are shown before they are written, and the attributes of Started events.
@Suite struct UnwrittenEventsTests {
    private func shown(_ stage: Stage) -> [String] {
        stage.execution.unwrittenEvents().map { "\($0.event.eventID) \($0.event.eventType)" }
    }

    private func started(_ stage: Stage) -> WorkflowTaskStartedEventAttributes? {
        guard
            case .workflowTaskStartedEventAttributes(let attributes) =
                stage.execution.unwrittenEvents().last?.event.attributes
        else { return nil }
        return attributes
    }

    @Test func runningTaskIsShownAsItWillBeWritten() throws {
        let stage = Stage()
        try stage.start()
        #expect(shown(stage) == [])
        try stage.pollWorkflowTask()
        #expect(shown(stage) == ["3 EVENT_TYPE_WORKFLOW_TASK_STARTED"])
        #expect(stage.execution.unwrittenEvents().first?.event.taskID == 3)
        #expect(started(stage)?.identity == "worker")
        try stage.complete()
        #expect(shown(stage) == [])
    }

    @Test func laterAttemptIsShownWhileDueAndWhileRunning() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.failTask()
        #expect(shown(stage) == ["5 EVENT_TYPE_WORKFLOW_TASK_SCHEDULED"])
        try stage.pollWorkflowTask()
        #expect(shown(stage) == ["5 EVENT_TYPE_WORKFLOW_TASK_SCHEDULED", "6 EVENT_TYPE_WORKFLOW_TASK_STARTED"])
        #expect(stage.execution.unwrittenEvents().allSatisfy { $0.event.taskID == 0 })
        #expect(started(stage)?.identity == "")
    }

    @Test func newEventHidesALaterAttempt() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.failTask()
        try stage.signal("s")
        #expect(shown(stage) == [])
    }

    @Test(arguments: [true, false])
    func startedEventCarriesTheBuildOfTheWorkerThatAnswered(isAnswered: Bool) throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a") { $0.startToCloseTimeout = Interval.seconds(5).duration })
        let start = try stage.execution.decide(
            startActivity: 5,
            attempt: 1,
            identity: "worker",
            requestID: "r",
            buildID: "build",
            nonce: 1,
            at: stage.now
        )
        stage.apply(start)
        var decision: Decision
        if isAnswered {
            decision = try stage.completeActivity(5)
        } else {
            try stage.cancel()
            try stage.run(Samples.cancelActivity(5))
            decision = try stage.cancelledActivity(5)
        }
        let versions = decision.events.compactMap { event -> String? in
            guard case .activityTaskStartedEventAttributes(let attributes) = event.attributes else { return nil }
            return attributes.workerVersion?.buildID ?? "none"
        }
        #expect(versions == [isAnswered ? "build" : "none"])
    }

    @Test func lastHeartbeatIsKeptForTheNextAttempt() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"))
        try stage.pollActivity(5)
        stage.pass(.seconds(1))
        let beatenAt = stage.now
        try stage.heartbeat(5, "half")
        stage.pass(.seconds(1))
        try stage.failActivity(5)
        #expect(stage.execution.durable.activities[5]?.heartbeatAt == beatenAt)
        stage.pass(.seconds(2))
        try stage.pollActivity(5, attempt: 2)
        try stage.failActivity(5, attempt: 2, heartbeat: "last words")
        #expect(stage.execution.durable.activities[5]?.heartbeatAt == stage.now)
        #expect(stage.execution.durable.activities[5]?.heartbeatDetails == Samples.payloads("last words"))
    }

    @Test func terminationFailsTheTaskInTheServersName() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        let decision = try stage.terminate()
        let identities = decision.events.compactMap { event -> String? in
            guard case .workflowTaskFailedEventAttributes(let attributes) = event.attributes else { return nil }
            return attributes.identity
        }
        #expect(identities == ["history-service"])
    }
}
