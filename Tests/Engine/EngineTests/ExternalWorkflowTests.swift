import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Signals and cancel requests between workflows.
@Suite struct ExternalWorkflowTests {
    private static func stage(_ commands: Command...) throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.complete { $0.commands = commands }
        return stage
    }

    @Test func signalIsSentAndAnswered() throws {
        let stage = try Self.stage(Samples.signalExternal("other") { $0.control = "c" })
        #expect(stage.history.last?.eventType == .signalExternalWorkflowExecutionInitiated)
        guard case .signal("other", nil, let signal)? = try stage.message(5) else {
            Issue.record("no signal")
            return
        }
        #expect(signal.name == "go")
        #expect(signal.requestID == "\(Samples.runID)/5")
        #expect(signal.identity == "history-service")
        let decision = stage.answer(.done, to: 5)
        #expect(decision.eventOutline == ["6 ExternalWorkflowExecutionSignaled", "7 WorkflowTaskScheduled"])
        guard case .externalWorkflowExecutionSignaledEventAttributes(let it) = decision.events[0].attributes else {
            return
        }
        #expect(it.namespace == "default")
        #expect(it.control == "c")
        #expect(it.initiatedEventID == 5)
        #expect(stage.answer(.done, to: 5).entries.isEmpty)
    }

    @Test(arguments: [
        (
            RequestError.workflowNotFound("other"),
            SignalExternalWorkflowExecutionFailedCause.externalWorkflowExecutionNotFound
        ),
        (.workflowClosed, .externalWorkflowExecutionNotFound),
        (.invalidArgument("exceeded workflow execution limit for signal events"), .signalCountLimitExceeded),
    ])
    func refusedSignal(_ error: RequestError, _ cause: SignalExternalWorkflowExecutionFailedCause) throws {
        let stage = try Self.stage(Samples.signalExternal("other"))
        let event = try #require(stage.answer(.refused(error), to: 5).events.first)
        guard case .signalExternalWorkflowExecutionFailedEventAttributes(let it) = event.attributes else {
            Issue.record("another event")
            return
        }
        #expect(it.cause == cause)
        #expect(stage.execution.durable.signals.isEmpty)
    }

    @Test func cancelRequestIsSentAndAnswered() throws {
        let stage = try Self.stage(Samples.cancelExternal("other") { $0.reason = "why" })
        guard case .cancel("other", nil, let cancel)? = try stage.message(5) else {
            Issue.record("no cancel request")
            return
        }
        #expect(cancel.reason == "why")
        #expect(cancel.sender?.eventID == 5)
        #expect(
            stage.answer(.done, to: 5).eventOutline == [
                "6 ExternalWorkflowExecutionCancelRequested", "7 WorkflowTaskScheduled",
            ]
        )
        let other = try Self.stage(Samples.cancelExternal("other"))
        #expect(
            other.answer(.refused(.workflowNotFound("other")), to: 5).events.first?.eventType
                == .requestCancelExternalWorkflowExecutionFailed
        )
        #expect(other.execution.durable.cancels.isEmpty)
    }

    /// As in Temporal, a workflow does not reach itself.
    @Test func workflowDoesNotReachItself() throws {
        let own = Samples.key.workflowID
        let stage = try Self.stage(Samples.signalExternal(own), Samples.cancelExternal(own))
        for id in [5, 6] as [Int64] {
            #expect(throws: RequestError.self) { try stage.message(id) }
        }
    }

    @Test func receiverNamesTheSenderAndTakesARequestOnce() throws {
        let stage = try Self.stage(Samples.signalExternal("other"), Samples.cancelExternal("other"))
        guard case .signal(_, _, let signal)? = try stage.message(5),
            case .cancel(_, _, let cancel)? = try stage.message(6)
        else { return }
        let other = Stage()
        try other.start()
        let taken = other.apply(try other.execution.decide(signal, at: other.now))
        guard case .workflowExecutionSignaledEventAttributes(let it) = taken.events[0].attributes else { return }
        #expect(it.externalWorkflowExecution?.workflowID == Samples.key.workflowID)
        #expect(it.externalWorkflowExecution?.runID == Samples.runID.description)
        #expect(try other.execution.decide(signal, at: other.now).entries.isEmpty)
        let requested = other.apply(try other.execution.decide(cancel, at: other.now))
        guard case .workflowExecutionCancelRequestedEventAttributes(let it) = requested.events[0].attributes else {
            return
        }
        #expect(it.externalInitiatedEventID == 6)
        #expect(it.externalWorkflowExecution?.runID == Samples.runID.description)
        #expect(try other.execution.decide(cancel, at: other.now).entries.isEmpty)
    }

    @Test func onlyChildrenGetWhatIsMeantForThem() throws {
        let stage = try Self.stage(
            Samples.signalExternal("other") { $0.childWorkflowOnly = true },
            Samples.cancelExternal("other") { $0.childWorkflowOnly = true }
        )
        guard case .signal(_, _, let signal)? = try stage.message(5),
            case .cancel(_, _, let cancel)? = try stage.message(6)
        else { return }
        let stranger = Stage()
        try stranger.start(lineage: Samples.childLineage)
        #expect(throws: RequestError.self) { try stranger.execution.decide(signal, at: stranger.now) }
        #expect(throws: RequestError.self) { try stranger.execution.decide(cancel, at: stranger.now) }
        // A closed run takes any cancel request.
        try stranger.terminate()
        #expect(try stranger.execution.decide(cancel, at: stranger.now).entries.isEmpty)
    }

    @Test(arguments: [
        (
            Samples.signalExternal("x", ""), WorkflowTaskFailedCause.badSignalWorkflowExecutionAttributes,
            "BadSignalWorkflowExecutionAttributes: SignalName is not set on SignalExternalWorkflowExecutionCommand. "
                + "WorkflowId=x Namespace= RunId="
        ),
        (
            Samples.signalExternal("x") { $0.execution = nil }, .badSignalWorkflowExecutionAttributes,
            "BadSignalWorkflowExecutionAttributes: Execution is not set on SignalExternalWorkflowExecutionCommand."
        ),
        (
            Samples.signalExternal("x") { $0.execution?.runID = "y" }, .badSignalWorkflowExecutionAttributes,
            "BadSignalWorkflowExecutionAttributes: Invalid RunId set on SignalExternalWorkflowExecutionCommand. "
                + "WorkflowId=x Namespace= RunId=y SignalName=go"
        ),
        (
            Samples.cancelExternal(""), .badRequestCancelExternalWorkflowExecutionAttributes,
            "BadRequestCancelExternalWorkflowExecutionAttributes: WorkflowId is not set on "
                + "RequestCancelExternalWorkflowExecutionCommand. Namespace= RunId="
        ),
        (
            Samples.cancelExternal("x") { $0.namespace = "other" },
            .badRequestCancelExternalWorkflowExecutionAttributes,
            "BadRequestCancelExternalWorkflowExecutionAttributes: cross namespace commands are not allowed"
        ),
    ])
    func badCommand(_ command: Command, _ cause: WorkflowTaskFailedCause, _ message: String) throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        let decision = try stage.complete(command)
        guard case .refused(let error) = decision.reply else {
            Issue.record("the command was carried out")
            return
        }
        #expect(error.message == message)
        guard case .workflowTaskFailedEventAttributes(let it) = decision.events.last?.attributes else { return }
        #expect(it.cause == cause)
    }

    @Test func pendingMessagesAreLimited() throws {
        for (command, name) in [
            (Samples.signalExternal("x"), "PendingSignalsLimitExceeded: the number of pending signals to external"),
            (
                Samples.cancelExternal("x"),
                "PendingRequestCancelLimitExceeded: the number of pending requests to cancel external"
            ),
        ] {
            let stage = Stage()
            stage.limits.pendingExternalSignals = 1
            stage.limits.pendingExternalCancels = 1
            try stage.start()
            try stage.pollWorkflowTask()
            let decision = try stage.complete(command, command)
            guard case .refused(let error) = decision.reply else {
                Issue.record("two were taken")
                continue
            }
            #expect(error.message == "\(name) workflows, 1, has reached the per-workflow limit of 1")
        }
    }
}
