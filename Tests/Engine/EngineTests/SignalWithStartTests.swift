import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// What a start can carry besides itself: a signal, links, metadata, and the wish for its first workflow task.
@Suite struct SignalWithStartTests {
    private static func link(_ workflowID: String) -> Link {
        .with { $0.variant = .workflowEvent(.with { $0.workflowID = workflowID }) }
    }

    private func start(
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> StartRequest {
        let plain = try Samples.start(adjust)
        let signal = try SignalRequest(
            name: "go",
            input: Samples.payloads("go"),
            header: nil,
            identity: "client",
            requestID: plain.request.requestID,
            links: [Self.link("cause")],
            limits: Limits()
        )
        return try StartRequest(plain.request, signal: signal, limits: Limits())
    }

    private func empty() -> SagamoreEngine.Execution {
        SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
    }

    @Test func signalStandsBetweenTheStartAndTheFirstTask() throws {
        let decision = empty().decide(try start(), at: Samples.noon)
        #expect(
            decision.outline == [
                "1 WorkflowExecutionStarted", "fact requestSeen start", "2 WorkflowExecutionSignaled",
                "fact requestSeen start", "3 WorkflowTaskScheduled", "offer workflow 3#1 on travel",
            ]
        )
        #expect(decision.events[1].links == [Self.link("cause")])
        var execution = empty()
        for entry in decision.entries { try execution.applyValidated(entry) }
        #expect(execution.durable.signalCount == 1)
        #expect(execution.durable.startRequestID == "start")
        // The same request is not another signal.
        let signal = try #require(try start().signal)
        #expect(try execution.decide(signal, at: Samples.noon).entries.isEmpty)
    }

    @Test func signalledStartWaitsForItsDelay() throws {
        let start = try start { $0.workflowStartDelay = Interval.seconds(5).duration }
        let decision = empty().decide(start, at: Samples.noon)
        #expect(decision.eventOutline == ["1 WorkflowExecutionStarted", "2 WorkflowExecutionSignaled"])
    }

    @Test func startKeepsLinksAndMetadata() throws {
        let metadata = RawMessage(UserMetadata.with { $0.summary = Payload.with { $0.data = [1] } })
        let stage = Stage()
        let decision = try stage.start { request in
            request.links = [Self.link("cause")]
            request.userMetadata = metadata
        }
        #expect(decision.events[0].links == [Self.link("cause")])
        #expect(stage.execution.durable.userMetadata == metadata)
        stage.crash()
        #expect(stage.execution.durable.userMetadata == metadata)
    }

    @Test func eagerStartSaysSoUnlessItHasToWait() throws {
        func isAccepted(_ adjust: (inout StartWorkflowExecutionRequest) -> Void) throws -> Bool {
            let decision = empty().decide(try Samples.start(adjust), isEager: true, at: Samples.noon)
            guard case .workflowExecutionStartedEventAttributes(let attributes)? = decision.events.first?.attributes
            else { return false }
            return attributes.eagerExecutionAccepted
        }
        #expect(try isAccepted { _ in })
        #expect(try !isAccepted { $0.workflowStartDelay = Interval.seconds(5).duration })
        #expect(try !isAccepted { $0.cronSchedule = "@daily" })
    }

    private static let refused: [(String, @Sendable (inout StartWorkflowExecutionRequest) -> Void)] = [
        (
            "cannot attach more than 10 links per request, got 11",
            { $0.links = Array(repeating: link("cause"), count: 11) }
        ),
        ("unsupported link variant", { $0.links = [Link()] }),
        ("priority key can't be negative", { $0.priority = .with { $0.priorityKey = -1 } }),
        (
            "fairness key length exceeds limit",
            { $0.priority = .with { $0.fairnessKey = String(repeating: "x", count: 65) } }
        ),
        ("must be greater than zero", { $0.priority = .with { $0.fairnessWeight = -1 } }),
    ]

    @Test(arguments: refused.indices) func badAttachmentsAreRefused(index: Int) {
        let (message, spoil) = Self.refused[index]
        let error = #expect(throws: RequestError.self) { try Samples.start(spoil) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == message)
    }
}
