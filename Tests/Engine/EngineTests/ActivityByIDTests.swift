import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Activities answered from outside, by their ids.
@Suite struct ActivityByIDTests {
    /// A run with one activity `a`, event 5, that waits for a worker.
    private func scheduled() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"))
        return stage
    }

    private func complete(_ stage: Stage, _ id: String, _ result: String = "booked") throws(RequestError) -> Decision {
        stage.apply(
            try stage.execution.decide(
                completedByID: id,
                result: Samples.payloads(result),
                identity: "outside",
                at: stage.now,
                limits: stage.limits
            )
        )
    }

    private func started(_ decision: Decision) -> ActivityTaskStartedEventAttributes? {
        guard case .activityTaskStartedEventAttributes(let attributes)? = decision.events.first?.attributes else {
            return nil
        }
        return attributes
    }

    @Test func runningAttemptIsCompleted() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        let decision = try complete(stage, "a")
        #expect(
            decision.eventOutline == ["6 ActivityTaskStarted", "7 ActivityTaskCompleted", "8 WorkflowTaskScheduled"]
        )
        #expect(started(decision)?.identity == "worker")
    }

    @Test func waitingActivityIsCompletedAndShownAsStarted() throws {
        let stage = try scheduled()
        let decision = try complete(stage, "a")
        #expect(
            decision.eventOutline == ["6 ActivityTaskStarted", "7 ActivityTaskCompleted", "8 WorkflowTaskScheduled"]
        )
        #expect(started(decision)?.identity == "outside")
        #expect(started(decision)?.requestID == "")
        #expect(started(decision)?.attempt == 1)
        // The task that Matching holds still is refused.
        #expect(throws: RequestError.self) { try stage.pollActivity(5) }
    }

    @Test func attemptInItsBackoffIsCompleted() throws {
        let stage = try scheduled()
        try stage.pollActivity(5)
        try stage.failActivity(5)
        #expect(started(try complete(stage, "a"))?.attempt == 2)
    }

    @Test func onlyACompletionNeedsNoWorker() throws {
        let stage = try scheduled()
        let error = #expect(throws: RequestError.self) { try stage.execution.activityToken(ofActivity: "a") }
        #expect(error?.message == RequestError.activityTaskNotFound.message)
        try stage.pollActivity(5)
        #expect(try stage.execution.activityToken(ofActivity: "a") == stage.activityToken(5))
        try stage.failActivity(5)
        #expect(throws: RequestError.self) { try stage.execution.activityToken(ofActivity: "a") }
    }

    @Test func unknownAndEndedActivitiesAreRefused() throws {
        let stage = try scheduled()
        let message =
            "cannot find pending activity with ActivityID b, check workflow execution history for more details"
        #expect(throws: RequestError.self) { try complete(stage, "b") }
        let unknown = #expect(throws: RequestError.self) { try stage.execution.activityToken(ofActivity: "b") }
        #expect(unknown?.code == .notFound && unknown?.message == message)
        _ = try complete(stage, "a")
        let ended = #expect(throws: RequestError.self) { try complete(stage, "a") }
        #expect(ended?.message.hasPrefix("cannot find pending activity with ActivityID a,") == true)
        try stage.run(Samples.complete())
        let closed = #expect(throws: RequestError.self) { try complete(stage, "a") }
        #expect(closed?.message == RequestError.workflowClosed.message)
    }

    @Test func resultOverTheLimitFailsARunningAttemptAlone() throws {
        let stage = try scheduled()
        stage.limits.payloadBytes = 100
        let large = String(repeating: "x", count: 200)
        let refused = #expect(throws: RequestError.self) { try complete(stage, "a", large) }
        #expect(refused?.message == RequestError.activityTaskNotFound.message)
        try stage.pollActivity(5)
        let decision = try complete(stage, "a", large)
        guard case .activityTaskFailedEventAttributes(let attributes) = decision.events[1].attributes else {
            Issue.record("not failed")
            return
        }
        #expect(try attributes.failure?.decoded().message == "Complete result exceeds size limit.")
        #expect(attributes.retryState == .nonRetryableFailure)
    }
}
