import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@Suite struct SignalTests {
    /// A started run whose first workflow task is completed.
    private func idle() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run()
        return stage
    }

    @Test func signalToAnIdleRunSchedulesAWorkflowTask() throws {
        let stage = try idle()
        let decision = try stage.signal("go", requestID: "r")
        #expect(
            decision.outline == [
                "5 WorkflowExecutionSignaled", "fact requestSeen r", "6 WorkflowTaskScheduled",
                "offer workflow 6#1 on travel",
            ]
        )
        guard case .workflowExecutionSignaledEventAttributes(let attributes) = decision.events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(attributes.signalName == "go")
        #expect(attributes.input == Samples.payloads("go"))
        #expect(attributes.identity == "client")
        #expect(attributes.requestID == "r")
    }

    @Test func signalDuringAScheduledTaskIsWrittenAtOnce() throws {
        let stage = Stage()
        try stage.start()
        #expect(try stage.signal("a").outline == ["3 WorkflowExecutionSignaled"])
    }

    @Test func signalsDuringATaskAreBufferedAndWrittenInOrderAfterItsCompletion() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        #expect(
            try stage.signal("first", requestID: "1").outline == [
                "fact eventBuffered WorkflowExecutionSignaled", "fact requestSeen 1",
            ]
        )
        stage.pass(.milliseconds(5))
        try stage.signal("second")
        let received = stage.now
        stage.pass(.milliseconds(5))
        let decision = try stage.complete(Samples.marker("m"))
        #expect(
            decision.outline == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskCompleted", "5 MarkerRecorded", "fact workflowTaskCompleted 3",
                "6 WorkflowExecutionSignaled", "7 WorkflowExecutionSignaled", "8 WorkflowTaskScheduled",
                "offer workflow 8#1 on travel",
            ]
        )
        let names = decision.events.compactMap { event -> String? in
            guard case .workflowExecutionSignaledEventAttributes(let attributes) = event.attributes else { return nil }
            return attributes.signalName
        }
        #expect(names == ["first", "second"])
        // Buffered events keep their own time.
        #expect(decision.events[4].eventTime == received.timestamp)
        #expect(stage.execution.durable.bufferedEvents.isEmpty)
        #expect(stage.execution.durable.bufferedBytes == 0)
    }

    @Test func bufferedSignalIsWrittenOnlyOnce() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.signal("once")
        try stage.complete()
        try stage.pollWorkflowTask()
        try stage.signal("once, too")
        try stage.complete()
        try stage.run(Samples.complete())
        #expect(stage.history.count { $0.eventType == .workflowExecutionSignaled } == 2)
    }

    @Test func repeatedRequestIDHasNoEffect() throws {
        let stage = try idle()
        try stage.signal("go", requestID: "r")
        let again = try stage.signal("go", requestID: "r", origin: Samples.origin("command"))
        #expect(again.outline.isEmpty)
        guard case .done = again.reply else {
            Issue.record("a known request is answered like a new one")
            return
        }
        // Without an id every signal is new.
        try stage.signal("go")
        #expect(try stage.signal("go").eventOutline == ["8 WorkflowExecutionSignaled"])
    }

    @Test func canonicallyEquivalentIDsAreTwoRequests() throws {
        let stage = try idle()
        try stage.signal("go", requestID: "caf\u{E9}")
        #expect(try stage.signal("go", requestID: "cafe\u{301}").eventOutline == ["7 WorkflowExecutionSignaled"])
        #expect(try stage.signal("go", requestID: "cafe\u{301}").outline.isEmpty)
    }

    @Test func repeatedRequestIDIsAnsweredAfterTheRunHasClosed() throws {
        let stage = try idle()
        try stage.signal("go", requestID: "r")
        try stage.run(Samples.complete())
        #expect(try stage.signal("go", requestID: "r").outline.isEmpty)
        #expect(throws: RequestError.self) { try stage.signal("go", requestID: "another") }
        #expect(throws: RequestError.self) { try stage.signal("go") }
    }

    @Test func startAndSignalMayShareARequestID() throws {
        let stage = Stage()
        try stage.start(requestID: "same")
        #expect(try stage.signal("with start", requestID: "same").eventOutline == ["3 WorkflowExecutionSignaled"])
    }

    @Test func signalToAClosedRunIsRefused() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.complete())
        let error = #expect(throws: RequestError.self) { try stage.signal("late") }
        #expect(error?.code == .notFound)
        #expect(error?.message == "workflow execution already completed")
    }

    /// A run whose close was refused because of a buffered signal, and whose next workflow task has started.
    private func closing() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.signal("meanwhile", requestID: "r")
        try stage.complete(Samples.complete("too early"))
        // The next task has not started, so it will show this signal, too.
        try stage.signal("seen as well")
        try stage.pollWorkflowTask()
        return stage
    }

    @Test func signalsAreRefusedWhileACloseIsRetried() throws {
        let stage = try closing()
        let error = #expect(throws: RequestError.self) { try stage.signal("late") }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "workflow operation can not be applied because workflow is closing")
        #expect(try stage.signal("meanwhile", requestID: "r").outline.isEmpty)
        try stage.complete(Samples.complete("in time"))
        #expect(stage.execution.durable.status == .completed)
    }

    @Test func signalsAreAcceptedAgainOnceTheCloseIsNotRetried() throws {
        let goesOn = try closing()
        try goesOn.complete { $0.forceCreateNewWorkflowTask = true }
        try goesOn.pollWorkflowTask()
        try goesOn.signal("next")
        let failed = try closing()
        try failed.failTask()
        try failed.pollWorkflowTask()
        try failed.signal("next")
        let timedOut = try closing()
        timedOut.passAndDecide(.seconds(10))
        try timedOut.pollWorkflowTask()
        try timedOut.signal("next")
    }

    @Test func signalFromATopicIsAcceptedWhileACloseIsRetried() throws {
        let stage = try closing()
        let decision = try stage.signal("late", origin: Samples.origin("command"))
        #expect(decision.outline == ["fact eventBuffered WorkflowExecutionSignaled", "status delivered"])
    }

    @Test func bufferedSignalsCountTowardTheLimit() throws {
        let stage = Stage()
        stage.limits.signals = 2
        try stage.start()
        try stage.signal("one")
        try stage.pollWorkflowTask()
        try stage.signal("two")
        let error = #expect(throws: RequestError.self) { try stage.signal("three") }
        #expect(error?.code == .invalidArgument)
    }

    @Test func bufferedBytesAreLimited() throws {
        let stage = Stage()
        stage.limits.historyBytes = 2_000
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.signal(String(repeating: "x", count: 600))
        try stage.signal(String(repeating: "y", count: 600))
        #expect(stage.execution.isRunning)
        let decision = try stage.signal("one more")
        guard case .refused(let error) = decision.reply else {
            Issue.record("not refused: \(decision.outline)")
            return
        }
        #expect(error.code == .invalidArgument)
        #expect(error.message == "Workflow history size exceeds limit.")
        #expect(stage.execution.durable.status == .terminated)
    }
}

@Suite struct CancelRequestTests {
    @Test func cancelIsRecordedWithItsReason() throws {
        let stage = Stage()
        try stage.start()
        let decision = try stage.cancel("changed my mind")
        #expect(decision.outline == ["3 WorkflowExecutionCancelRequested"])
        guard case .workflowExecutionCancelRequestedEventAttributes(let it) = decision.events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(it.cause == "changed my mind")
        #expect(it.identity == "client")
    }

    @Test func secondCancelHasNoEffectEvenWhileTheFirstIsBuffered() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        #expect(try stage.cancel().outline == ["fact eventBuffered WorkflowExecutionCancelRequested"])
        #expect(try stage.cancel().outline.isEmpty)
        try stage.complete()
        #expect(try stage.cancel().outline.isEmpty)
        #expect(stage.historyOutline.count { $0.hasSuffix("CancelRequested") } == 1)
    }

    @Test func cancelOfAClosedRunIsAnsweredAndRecordsNothing() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.complete())
        #expect(try stage.cancel().outline.isEmpty)
        // A command from a topic is told that it came too late.
        #expect(throws: RequestError.self) { try stage.cancel(origin: Samples.origin("late")) }
    }

    /// Cancel requests and signals have separate ids.
    @Test func signalWithTheIDOfACancelRequestTakesEffect() throws {
        let stage = Stage()
        try stage.start()
        let cancel = CancelRequest(reason: "", identity: "client", requestID: "one")
        stage.apply(try stage.execution.decide(cancel, at: stage.now))
        #expect(try stage.signal("go", requestID: "one").eventOutline == ["4 WorkflowExecutionSignaled"])
    }
}
