import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

@Suite struct UpdateTests {
    /// A run whose first workflow task is completed.
    private func idle(_ commands: Command..., sticky: String = "") throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.complete(sticky: sticky) { $0.commands = commands }
        return stage
    }

    private func delivery(_ decision: Decision) throws -> WorkflowTaskDelivery {
        guard case .workflowTask(let delivery) = decision.reply else { throw Missing() }
        return delivery
    }

    private func completion(_ decision: Decision) throws -> WorkflowTaskCompletion {
        guard case .completion(let completion) = decision.reply else { throw Missing() }
        return completion
    }

    private struct Missing: Error {}

    // MARK: Admission

    @Test func updateOfAnIdleRunWritesNothingAndOffersASpeculativeTask() throws {
        let stage = try idle()
        let decision = try stage.update("u")
        #expect(
            decision.outline == [
                "volatile updateAdmitted u", "volatile workflowTaskSpeculated 5", "offer workflow 5#1 on travel",
            ]
        )
        #expect(!decision.isDurable)
        #expect(stage.execution.progress(ofUpdate: "u") == .admitted)
        #expect(stage.execution.workflowTask?.form == .speculative)
        let delivery = try delivery(try stage.pollWorkflowTask())
        #expect(delivery.unwrittenEvents.map(\.event.eventType) == [.workflowTaskScheduled, .workflowTaskStarted])
        #expect(delivery.unwrittenEvents.map(\.event.eventID) == [5, 6])
        let message = try #require(delivery.messages.first)
        #expect(message.id == "u/request")
        #expect(message.protocolInstanceID == "u")
        #expect(message.sequencingID == .eventID(5))
        #expect(try message.body?.unpacked(as: Request.self) == Samples.updateRequest("u"))
    }

    @Test func updateBesideADueTaskRidesOnIt() throws {
        let stage = try idle()
        try stage.signal("go")
        #expect(try stage.update("u").outline == ["volatile updateAdmitted u"])
        let delivery = try delivery(try stage.pollWorkflowTask())
        #expect(delivery.messages.map(\.protocolInstanceID) == ["u"])
        #expect(delivery.messages.first?.sequencingID == .eventID(6))
        // A written task stays, whatever its worker says of the update.
        let answer = try stage.answer(Samples.rejection("u"))
        #expect(answer.eventOutline == ["7 WorkflowTaskStarted", "8 WorkflowTaskCompleted"])
        #expect(answer.updateOutline == ["u failed: not now"])
    }

    @Test func updateEndsNoStartDelayButGetsItsTask() throws {
        let stage = Stage()
        try stage.start { $0.workflowStartDelay = Interval.seconds(600).duration }
        #expect(try stage.update("u").outline.last == "offer workflow 2#1 on travel")
        try stage.pollWorkflowTask()
        let answer = try stage.answer(Samples.rejection("u"))
        #expect(answer.eventOutline == [])
        #expect(try completion(answer).resetHistoryEventID == 0)
        #expect(stage.execution.durable.firstTaskDueAt != nil)
    }

    @Test func sameIDIsAdmittedOnce() throws {
        let stage = try idle()
        try stage.update("u")
        #expect(try stage.update("u").entries.isEmpty)
        try stage.pollWorkflowTask()
        try stage.answer(Samples.acceptance("u"))
        #expect(try stage.update("u").entries.isEmpty)
        #expect(stage.execution.progress(ofUpdate: "u") == .accepted)
        try stage.signal("go")
        try stage.pollWorkflowTask()
        try stage.answer(Samples.completion("u"))
        #expect(try stage.update("u").entries.isEmpty)
        #expect(stage.execution.progress(ofUpdate: "u") == .completed(eventID: 13))
        try stage.terminate()
        #expect(try stage.update("u").entries.isEmpty)
        #expect(throws: RequestError.self) { try stage.update("other") }
    }

    @Test func limitsCountUpdatesUnderWayAndAll() throws {
        let stage = try idle()
        stage.limits.updatesInFlight = 2
        stage.limits.updates = 3
        try stage.update("a")
        try stage.update("b")
        let busy = #expect(throws: RequestError.self) { try stage.update("c") }
        #expect(busy?.code == .resourceExhausted)
        #expect(busy?.message == "limit on number of concurrent in-flight updates has been reached (2)")
        #expect(try stage.update("a").entries.isEmpty)
        try stage.pollWorkflowTask()
        // An accepted update is under way.
        try stage.answer(Samples.acceptance("a"), Samples.acceptance("b"), Samples.completion("b"))
        try stage.update("c")
        #expect(throws: RequestError.self) { try stage.update("d") }
        try stage.pollWorkflowTask()
        try stage.answer(Samples.completion("a"), Samples.acceptance("c"), Samples.completion("c"))
        let full = #expect(throws: RequestError.self) { try stage.update("d") }
        #expect(full?.code == .failedPrecondition)
        #expect(
            full?.message.hasPrefix("The limit on the total number of distinct updates in this workflow has been")
                == true
        )
    }

    @Test func workflowIsToldToContinueAsNewBeforeItHasHadTooManyUpdates() throws {
        let stage = try idle()
        stage.limits.updates = 10
        for number in 1...10 {
            try stage.update("u-\(number)")
            let delivery = try delivery(try stage.pollWorkflowTask())
            #expect(delivery.task.continueAsNewReasons == (number < 9 ? [] : [.tooManyUpdates]), "update \(number)")
            guard
                case .workflowTaskStartedEventAttributes(let started)? = delivery.unwrittenEvents.last?.event.attributes
            else { throw Missing() }
            #expect(started.suggestContinueAsNew == (number >= 9))
            try stage.answer(Samples.acceptance("u-\(number)"), Samples.completion("u-\(number)"))
        }
        #expect(throws: RequestError.self) { try stage.update("u-11") }
    }

    @Test func updateOfARunWhoseCodeKeepsFailingIsRefused() throws {
        let stage = Stage()
        try stage.start()
        for _ in 0..<2 {
            try stage.pollWorkflowTask()
            try stage.failTask()
        }
        let error = #expect(throws: RequestError.self) { try stage.update("u") }
        #expect(error?.code == .failedPrecondition)
        #expect(
            error?.message == "Unable to perform workflow execution update due to Workflow Task in failed state."
        )
    }

    @Test func requestsThatSayTooLittleAreRefused() {
        func message(_ adjust: (inout Request) -> Void) -> String? {
            var request = Samples.updateRequest("u")
            adjust(&request)
            do throws(RequestError) {
                _ = try UpdateRequest(request, limits: Limits())
                return nil
            } catch {
                return error.message
            }
        }
        #expect(message { _ in } == nil)
        #expect(message { $0.meta = nil } == "Update meta is not set on request.")
        #expect(message { $0.input = nil } == "Update input is not set on request.")
        #expect(message { $0.input?.name = "" } == "Update name is not set on request.")
        #expect(
            message { $0.meta?.updateID = String(repeating: "x", count: 1_001) } == "UpdateId length exceeds limit."
        )
        #expect(message { $0.meta?.updateID = "a\0" } == "UpdateId must not contain NUL.")
    }

    // MARK: Answers

    @Test func acceptedAndCompletedUpdateIsWrittenWithItsTask() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        let decision = try stage.answer(Samples.acceptance("u"), Samples.completion("u"))
        #expect(
            decision.eventOutline == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskCompleted",
                "8 WorkflowExecutionUpdateAccepted", "9 WorkflowExecutionUpdateCompleted",
            ]
        )
        #expect(decision.updateOutline == ["u succeeded"])
        guard case .workflowExecutionUpdateAcceptedEventAttributes(let accepted) = decision.events[3].attributes,
            case .workflowExecutionUpdateCompletedEventAttributes(let completed) = decision.events[4].attributes
        else { throw Missing() }
        #expect(accepted.protocolInstanceID == "u")
        #expect(accepted.acceptedRequestMessageID == "u/request")
        #expect(accepted.acceptedRequestSequencingEventID == 1)
        #expect(accepted.acceptedRequest == Samples.updateRequest("u"))
        #expect(completed.acceptedEventID == 8)
        #expect(completed.outcome == Samples.outcome("done"))
        #expect(stage.execution.durable.updates.isEmpty)
    }

    @Test func messagesStandWhereTheirCommandsSay() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        let (accepted, completed) = (Samples.acceptance("u"), Samples.completion("u"))
        let decision = try stage.complete { request in
            request.messages = [completed, accepted]
            request.commands = [
                Samples.marker("a"), Samples.order(accepted), Samples.marker("b"), Samples.order(completed),
                Samples.marker("c"),
            ]
        }
        #expect(
            decision.eventOutline.dropFirst(3) == [
                "8 MarkerRecorded", "9 WorkflowExecutionUpdateAccepted", "10 MarkerRecorded",
                "11 WorkflowExecutionUpdateCompleted", "12 MarkerRecorded",
            ]
        )
    }

    @Test func rejectionLeavesNoTraceAndItsEventIDsAreUsedAgain() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        let decision = try stage.answer(Samples.rejection("u"))
        #expect(decision.outline == ["volatile updatesSettled u", "volatile workflowTaskDiscarded"])
        #expect(!decision.isDurable)
        #expect(decision.updateOutline == ["u failed: not now"])
        #expect(try completion(decision).resetHistoryEventID == 3)
        #expect(stage.execution.workflowTask == nil)
        #expect(stage.execution.progress(ofUpdate: "u") == nil)
        #expect(try stage.signal("go").eventOutline == ["5 WorkflowExecutionSignaled", "6 WorkflowTaskScheduled"])
    }

    @Test func rejectionBehindEventsNeedsACapableWorker() throws {
        for (markers, isCapable, isForgotten) in [
            (2, true, true), (2, false, false), (10, true, true), (11, true, false),
        ] {
            let stage = Stage()
            try stage.start()
            try stage.pollWorkflowTask()
            try stage.complete { $0.commands = (0..<markers).map { _ in Samples.marker("m") } }
            try stage.update("u")
            try stage.pollWorkflowTask()
            let decision = try stage.complete { request in
                request.messages = [Samples.rejection("u")]
                request.capabilities = .init()
                request.capabilities?.discardSpeculativeWorkflowTaskWithEvents = isCapable
            }
            #expect(decision.eventOutline.isEmpty == isForgotten, "\(markers) markers, \(isCapable)")
        }
    }

    @Test func updateThatTheWorkerIgnoresIsRejected() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        let decision = try stage.answer()
        #expect(decision.eventOutline == [])
        #expect(
            decision.updateOutline == [
                "u failed: Workflow Update is rejected because it wasn't processed by worker. "
                    + "Probably, Workflow Update is not supported by the worker."
            ]
        )
    }

    @Test func workerThatNeedsMoreTimeKeepsTheUpdate() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        let decision = try stage.complete { request in
            request.forceCreateNewWorkflowTask = true
            request.returnNewWorkflowTask = true
        }
        #expect(decision.updateOutline == [])
        #expect(decision.eventOutline.last == "8 WorkflowTaskScheduled")
        #expect(try completion(decision).nextTask?.messages.isEmpty == true)
        #expect(try stage.answer(Samples.acceptance("u")).updateOutline == ["u accepted"])
    }

    @Test func updateThatComesWhileATaskRunsGoesWithTheNext() throws {
        for isReturned in [true, false] {
            let stage = Stage()
            try stage.start()
            try stage.pollWorkflowTask()
            #expect(try stage.update("u").outline == ["volatile updateAdmitted u"])
            let decision = try stage.complete(sticky: "sticky") { $0.returnNewWorkflowTask = isReturned }
            let next = try completion(decision).nextTask
            if isReturned {
                #expect(decision.eventOutline.last == "4 WorkflowTaskCompleted")
                #expect(next?.task.form == .speculative)
                #expect(next?.messages.map(\.protocolInstanceID) == ["u"])
                #expect(next?.unwrittenEvents.map(\.event.eventID) == [5, 6])
                #expect(try completion(try stage.answer(Samples.rejection("u"))).resetHistoryEventID == 3)
            } else {
                // The worker is not asked at once, so the task is stored.
                #expect(decision.eventOutline.last == "5 WorkflowTaskScheduled")
                #expect(next == nil)
                let delivery = try delivery(try stage.pollWorkflowTask(sticky: true))
                #expect(delivery.messages.map(\.protocolInstanceID) == ["u"])
            }
        }
    }

    @Test func updateBehindARejectedOneGetsTheSameEventIDs() throws {
        let stage = try idle(sticky: "sticky")
        try stage.update("u")
        try stage.pollWorkflowTask(sticky: true)
        try stage.update("v")
        let decision = try stage.complete(sticky: "sticky") { request in
            request.messages = [Samples.rejection("u")]
            request.returnNewWorkflowTask = true
        }
        #expect(decision.eventOutline == [])
        let next = try #require(try completion(decision).nextTask)
        #expect(next.unwrittenEvents.map(\.event.eventID) == [5, 6])
        #expect(next.messages.map(\.protocolInstanceID) == ["v"])
        #expect(next.previousStartedEventID == 3)
    }

    @Test(arguments: [
        (
            [Samples.completion("u")],
            "invalid state transition attempted for Update u: received *update.Response message while in state Sent"
        ),
        (
            [Samples.acceptance("u"), Samples.acceptance("u")],
            "invalid state transition attempted for Update u: received *update.Acceptance message while in state "
                + "ProvisionallyAccepted"
        ),
        (
            [Samples.acceptance("u"), Samples.rejection("u")],
            "invalid state transition attempted for Update u: received *update.Rejection message while in state "
                + "ProvisionallyAccepted"
        ),
        (
            [Samples.acceptance("x")],
            "update x wasn't found on the server. This is most likely a transient error which will be resolved "
                + "automatically by retries"
        ),
        (
            [Samples.message("u", "what", ProtobufAny(packing: Payloads()))],
            "unsupported protocol type temporal.api.common.v1"
        ),
    ])
    func messageThatDoesNotFitFailsTheTask(_ messages: [ProtocolMessage], _ message: String) throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        try stage.update("late")
        let decision = try stage.complete { $0.messages = messages }
        #expect(
            decision.eventOutline == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskFailed",
            ]
        )
        guard case .workflowTaskFailedEventAttributes(let attributes) = decision.events[2].attributes else {
            throw Missing()
        }
        #expect(attributes.cause == .badUpdateWorkflowExecutionMessage)
        #expect(try attributes.failure?.decoded().message == "BadUpdateWorkflowExecutionMessage: \(message)")
        #expect(
            decision.updateOutline == [
                "u refused: Unable to perform workflow execution update due to unexpected workflow task failure."
            ]
        )
        // The one that the worker has not seen goes with the next attempt.
        #expect(try delivery(try stage.pollWorkflowTask()).messages.map(\.protocolInstanceID) == ["late"])
    }

    @Test func commandWithoutItsMessageFailsTheTask() throws {
        for (id, message) in [
            ("", "MessageID is not set on ProtocolMessageCommand."),
            ("x", "ProtocolMessageCommand referenced absent message ID x"),
        ] {
            let stage = try idle()
            try stage.update("u")
            try stage.pollWorkflowTask()
            var absent = ProtocolMessage()
            absent.id = id
            guard case .refused(let error) = try stage.complete(Samples.order(absent)).reply else { throw Missing() }
            #expect(error.message == "BadUpdateWorkflowExecutionMessage: \(message)")
        }
    }

    @Test func responseMustNameItsUpdateAndHaveAnOutcome() throws {
        func refusal(_ adjust: (inout Response) -> Void) throws -> String? {
            let stage = try idle()
            try stage.update("u")
            try stage.pollWorkflowTask()
            var response = try #require(try Samples.completion("u").body?.unpacked(as: Response.self))
            adjust(&response)
            let message = Samples.message("u", "complete", ProtobufAny(packing: response))
            let decision = try stage.answer(Samples.acceptance("u"), message)
            guard case .refused(let error) = decision.reply else { return nil }
            return error.message
        }
        let cause = "BadUpdateWorkflowExecutionMessage: invalid *update.Response:"
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0.meta = nil } == "\(cause) meta is not set")
        #expect(try refusal { $0.meta?.updateID = "" } == "\(cause) meta.update_id is not set")
        #expect(try refusal { $0.meta?.updateID = "x" } == "\(cause) meta.update_id != u")
        #expect(try refusal { $0.outcome = nil } == "\(cause) outcome is not set")
    }

    @Test func emptyMessageIsRefusedAndTheTaskGoesOn() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        let error = #expect(throws: RequestError.self) { try stage.complete { $0.messages = [ProtocolMessage()] } }
        #expect(error?.message == "nil message body")
        #expect(try stage.answer(Samples.acceptance("u")).updateOutline == ["u accepted"])
    }

    @Test func unknownUpdateIsAcceptedWithTheRequestThatTheWorkerSentAlong() throws {
        let stage = try idle()
        try stage.signal("go")
        try stage.pollWorkflowTask()
        let request = Samples.updateRequest("u")
        let decision = try stage.answer(Samples.acceptance("u", request: request))
        guard case .workflowExecutionUpdateAcceptedEventAttributes(let accepted)? = decision.events.last?.attributes
        else { throw Missing() }
        #expect(accepted.acceptedRequest == request)
    }

    // MARK: The end of the run

    @Test func endOfTheRunFailsAcceptedUpdatesAndAbortsTheOthers() throws {
        let stage = try idle()
        try stage.update("before")
        try stage.pollWorkflowTask()
        try stage.answer(Samples.acceptance("before"))
        for id in ["done", "accepted", "silent"] { try stage.update(id) }
        try stage.pollWorkflowTask()
        try stage.update("late")
        let abandoned = "failed: Workflow Update failed because the Workflow completed before the Update completed."
        let aborted = "refused: workflow update was aborted by closing workflow"
        let messages = [Samples.acceptance("done"), Samples.completion("done"), Samples.acceptance("accepted")]
        let decision = try stage.complete { request in
            request.messages = messages
            request.commands = messages.map(Samples.order) + [Samples.complete()]
        }
        #expect(
            decision.updateOutline == [
                "done succeeded", "silent \(aborted)", "late \(aborted)", "accepted \(abandoned)",
                "before \(abandoned)",
            ]
        )
        #expect(stage.execution.durable.status == .completed)
        #expect(stage.execution.progress(ofUpdate: "accepted") == .abandoned)
        #expect(stage.execution.progress(ofUpdate: "before") == .abandoned)
        #expect(stage.execution.progress(ofUpdate: "late") == nil)
        #expect(stage.execution.progress(ofUpdate: "done") != nil)
    }

    @Test func terminationWritesTheSpeculativeTaskThatAWorkerHolds() throws {
        let stage = try idle()
        try stage.update("u")
        try stage.pollWorkflowTask()
        let decision = try stage.terminate()
        #expect(
            decision.eventOutline == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskFailed",
                "8 WorkflowExecutionTerminated",
            ]
        )
        #expect(decision.updateOutline == ["u refused: workflow update was aborted by closing workflow"])
    }
}
