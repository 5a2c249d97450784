import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// The run that a reset begins, and the end of the one that it replaces.
@Suite struct ResetTests {
    /// Started, a timer, an activity, two signals, three completed workflow tasks.
    private func base() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.startTimer("t", .seconds(60)), Samples.schedule("a"))
        try stage.signal("one", requestID: "r1")
        try stage.run(sticky: "sticky")
        try stage.signal("two", requestID: "r2")
        try stage.run(sticky: "sticky")
        stage.pass(.seconds(5))
        return stage
    }

    private func reset(
        _ stage: Stage,
        at eventID: Int64,
        origin: CommandOrigin? = nil,
        _ adjust: (inout ResetWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> ResetRun {
        let request = try Samples.reset(at: eventID, adjust)
        return try ResetRun(of: stage.entries, at: eventID, request, origin: origin, now: stage.now)
    }

    private func message(_ stage: Stage, at eventID: Int64) -> String? {
        do {
            _ = try reset(stage, at: eventID)
            return nil
        } catch { return (error as? RequestError)?.message }
    }

    @Test func itRepeatsTheHistoryUpToThePoint() throws {
        let stage = try base()
        #expect(
            stage.historyOutline[3...8].map { $0 } == [
                "4 WorkflowTaskCompleted", "5 TimerStarted", "6 ActivityTaskScheduled", "7 WorkflowExecutionSignaled",
                "8 WorkflowTaskScheduled", "9 WorkflowTaskStarted",
            ]
        )
        let run = try reset(stage, at: 10)
        #expect(Array(run.history.prefix(9)) == Array(stage.history.prefix(9)))
        #expect(
            run.outline.suffix(3) == [
                "10 WorkflowTaskFailed", "11 WorkflowExecutionSignaled", "12 WorkflowTaskScheduled",
            ]
        )
        guard case .workflowTaskFailedEventAttributes(let failed) = run.history[9].attributes else {
            Issue.record("no failed task")
            return
        }
        #expect(failed.cause == .resetWorkflow && failed.scheduledEventID == 8 && failed.startedEventID == 9)
        #expect(failed.baseRunID == Samples.runID.description && failed.newRunID == ResetRun.runID.description)
        #expect(failed.identity == "history-service")
        let failure = try #require(try failed.failure?.decoded())
        #expect(failure.message == "the reason")
        #expect(failure.failureInfo == .resetWorkflowFailureInfo(ResetWorkflowFailureInfo()))
        // The signal comes again as it was, at the time of the reset.
        guard case .workflowExecutionSignaledEventAttributes(let signal) = run.history[10].attributes else {
            Issue.record("no signal")
            return
        }
        #expect(signal.signalName == "two" && signal.requestID == "r2")
        #expect(run.history[10].eventTime == stage.now.timestamp)
        #expect(HistoryRules.violations(in: run.history).isEmpty)
    }

    @Test func itsTasksAreOfferedOnNormalQueues() throws {
        let run = try reset(try base(), at: 14)
        #expect(run.decision.offers.count == 2)
        guard case .workflow(let route, "", let stamp)? = run.decision.offers.first,
            case .activity(_, 6, 1)? = run.decision.offers.last
        else {
            Issue.record("\(run.decision.offers)")
            return
        }
        #expect(route.queue == "travel" && stamp == WorkflowTaskStamp(scheduledEventID: 15, attempt: 1))
        #expect(run.execution.dueTasks() == run.decision.offers)
        #expect(run.execution.durable.stickyQueue.isEmpty && run.execution.durable.completedTask == nil)
    }

    @Test func onlyWorkflowTasksArePoints() throws {
        let stage = try base()
        try stage.signal("late")
        try stage.run(Samples.complete())
        let boundary = { (id: Int) in
            "StateRebuilder unable to Rebuild mutable state to event ID: \(id - 1), version: 0, this event must be at "
                + "the boundary"
        }
        let range = { (id: Int) in
            "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: \(id)"
        }
        let expected: [Int: String?] = [
            2: boundary(2), 3: nil, 4: nil, 5: boundary(5), 6: boundary(6), 7: range(7), 8: boundary(8), 9: nil,
            10: nil, 11: range(11), 12: boundary(12), 13: nil, 14: nil, 15: range(15), 16: boundary(16), 17: nil,
            18: nil, 19: boundary(19),
        ]
        #expect(stage.history.count == 19)
        for (id, expected) in expected { #expect(message(stage, at: Int64(id)) == expected, "event \(id)") }
    }

    @Test func aTaskThatNobodyHeldIsStartedByTheServer() throws {
        let stage = try base()
        let run = try reset(stage, at: 3)
        #expect(
            run.outline == [
                "1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled", "3 WorkflowTaskStarted",
                "4 WorkflowTaskFailed",
                "5 WorkflowExecutionSignaled", "6 WorkflowExecutionSignaled", "7 WorkflowTaskScheduled",
            ]
        )
        guard case .workflowTaskStartedEventAttributes(let started) = run.history[2].attributes else {
            Issue.record("no started task")
            return
        }
        #expect(started.identity == "history-service" && started.requestID == "emptyUuid")
        #expect(started.scheduledEventID == 2 && started.historySizeBytes > 0)
        #expect(run.execution.durable.activities.isEmpty && run.execution.durable.timers.isEmpty)
    }

    @Test func aTaskThatFailedIsScheduledAgain() throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.failTask()
        try stage.run(Samples.complete())
        #expect(
            stage.historyOutline[3...].map { $0 } == [
                "4 WorkflowTaskFailed", "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskCompleted",
                "8 WorkflowExecutionCompleted",
            ]
        )
        let run = try reset(stage, at: 5)
        #expect(
            run.outline[4...].map { $0 } == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskFailed", "8 WorkflowTaskScheduled",
            ]
        )
        #expect(HistoryRules.violations(in: run.history).isEmpty)
        #expect(message(stage, at: 6) != nil && message(stage, at: 8) != nil)
        #expect(
            try reset(stage, at: 7).outline[4...].map { $0 } == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskFailed", "8 WorkflowTaskScheduled",
            ]
        )
    }

    @Test func activitiesBeginAnew() throws {
        let stage = Stage()
        try stage.start()
        try stage.run(
            Samples.schedule("failing") { $0.scheduleToCloseTimeout = Interval.seconds(100).duration },
            Samples.schedule("ended")
        )
        let (failing, ended) = (Int64(5), Int64(6))
        try stage.pollActivity(failing)
        try stage.failActivity(failing)
        try stage.pollActivity(ended)
        try stage.completeActivity(ended)
        try stage.run()
        stage.pass(.seconds(90))
        let run = try reset(stage, at: 10)
        let state = run.execution.durable
        #expect(Array(state.activities.keys) == [failing])
        let activity = try #require(state.activities[failing])
        #expect(activity.attempt == 1 && !activity.isStarted && activity.lastFailure == nil)
        #expect(activity.scheduledAt == stage.now && activity.attemptScheduledAt == stage.now)
        #expect(activity.closeDeadline == stage.now + .seconds(100))
    }

    @Test func timersKeepTheirTimes() throws {
        let stage = try base()
        var run = try reset(stage, at: 10)
        let due = Samples.noon + .seconds(60)
        #expect(run.execution.decideDue(at: due + .milliseconds(-1), after: .none).entries.isEmpty)
        let fired = run.execution.decideDue(at: due, after: .none)
        run.apply(fired)
        #expect(run.outline.last == "13 TimerFired")
        // One that is overdue fires at once.
        stage.pass(.seconds(600))
        let late = try reset(stage, at: 10)
        #expect(late.execution.nextDeadline.map { $0 <= stage.now } == true)
    }

    @Test func timeoutsCountFromTheReset() throws {
        let stage = Stage()
        try stage.start { request in
            request.workflowRunTimeout = Interval.seconds(60).duration
            request.workflowExecutionTimeout = Interval.seconds(120).duration
            request.workflowStartDelay = Interval.seconds(2).duration
        }
        stage.passAndDecide(.seconds(3))
        try stage.run()
        stage.passAndDecide(.seconds(600))
        #expect(stage.execution.durable.status == .timedOut)
        let run = try reset(stage, at: 4)
        let state = run.execution.durable
        #expect(state.startedAt == stage.now && state.lastResetAt == stage.now)
        #expect(state.originalStartedAt == Samples.noon && state.firstTaskBackoff == .zero)
        #expect(state.runDeadline == stage.now + .seconds(60))
        #expect(state.executionDeadline == stage.now + .seconds(120))
        let end = run.execution.decideDue(at: stage.now + .seconds(61), after: .none)
        #expect(end.outline.contains { $0.contains("WorkflowExecutionTimedOut") })
    }

    @Test func requestsThatItRepeatsAreKnown() throws {
        let run = try reset(try base(), at: 10)
        for id in ["r1", "r2"] {
            #expect(run.execution.hasSeen(id))
            let again = try Samples.signal("again", requestID: id)
            #expect(try run.execution.decide(again, at: Samples.noon).entries.isEmpty)
        }
        #expect(!run.execution.hasSeen("r3") && run.execution.durable.signalCount == 2)
        #expect(run.execution.durable.resetRequestID == "reset")
        #expect(run.execution.durable.startRequestID == "start")
    }

    @Test func whatIsExcludedIsNotAppliedAgain() throws {
        let stage = try base()
        func signals(_ adjust: (inout ResetWorkflowExecutionRequest) -> Void) throws -> Int {
            try reset(stage, at: 4, adjust).history.count { $0.eventType == .workflowExecutionSignaled }
        }
        #expect(try signals { _ in } == 2)
        #expect(try signals { $0.resetReapplyExcludeTypes = [.update, .nexus, .cancelRequest] } == 2)
        #expect(try signals { $0.resetReapplyExcludeTypes = [.signal] } == 0)
        #expect(try signals { $0.resetReapplyType = .allEligible } == 2)
        #expect(try signals { $0.resetReapplyType = .signal } == 2)
        #expect(try signals { $0.resetReapplyType = .none } == 0)
    }

    @Test func updatesComeBackAsAdmitted() throws {
        var accepted = WorkflowExecutionUpdateAcceptedEventAttributes()
        accepted.protocolInstanceID = "update"
        var event = HistoryEvent()
        event.eventType = .workflowExecutionUpdateAccepted
        event.attributes = .workflowExecutionUpdateAcceptedEventAttributes(accepted)
        let all = try Samples.reset(at: 4)
        // The request of this one is in an event of its own.
        #expect(all.reapplied(event) == nil)
        accepted.acceptedRequest = .init()
        event.attributes = .workflowExecutionUpdateAcceptedEventAttributes(accepted)
        let again = try #require(all.reapplied(event))
        #expect(again.eventType == .workflowExecutionUpdateAdmitted)
        guard case .workflowExecutionUpdateAdmittedEventAttributes(let admitted) = again.attributes else {
            Issue.record("not admitted")
            return
        }
        #expect(admitted.request != nil && admitted.origin == .reapply)
        #expect(all.reapplied(again) == again)
        for excluded in [
            try Samples.reset(at: 4) { $0.resetReapplyExcludeTypes = [.update] },
            try Samples.reset(at: 4) { $0.resetReapplyType = .signal },
        ] {
            #expect(excluded.reapplied(event) == nil && excluded.reapplied(again) == nil)
        }
    }

    /// As in Temporal.
    @Test func cancelRequestsAreKeptBeforeThePointOnly() throws {
        let stage = Stage()
        try stage.start()
        try stage.run()
        try stage.cancel("enough")
        try stage.run()
        try stage.signal("go")
        try stage.run()
        #expect(try !reset(stage, at: 4).execution.durable.cancelRequested)
        #expect(try reset(stage, at: 12).execution.durable.cancelRequested)
    }

    @Test func aResetOfAResetTellsItsOwnTimes() throws {
        let first = try reset(try base(), at: 10)
        let request = try Samples.reset(at: 4, requestID: "second")
        let later = Samples.noon + .seconds(900)
        let second = try ResetRun(of: first.entries, at: 4, request, now: later)
        #expect(second.execution.durable.lastResetAt == later)
        #expect(second.execution.durable.originalStartedAt == Samples.noon)
        #expect(second.history.filter { $0.eventType == .workflowExecutionSignaled }.count == 2)
        // An earlier reset, repeated with the history, changes nothing.
        let whole = try #require(first.history.last { $0.eventType == .workflowTaskScheduled }).eventID
        var running = first
        let start = WorkflowTaskStartRequest(
            stamp: WorkflowTaskStamp(scheduledEventID: whole, attempt: 1),
            isSticky: false,
            identity: "worker",
            requestID: "poll",
            nonce: 7,
            epoch: 1
        )
        running.apply(try running.execution.decide(start, at: later))
        let token = Stage.token(of: running.execution.volatile.startedTask)
        let completed = WorkflowTaskToken(
            key: token.key,
            runID: ResetRun.runID,
            startedEventID: token.startedEventID,
            attempt: token.attempt,
            nonce: token.nonce,
            epoch: token.epoch
        )
        let completion = WorkflowTaskCompletedRequest(token: completed, request: .init())
        running.apply(try running.execution.decide(completion, nextNonce: 8, at: later))
        let third = try ResetRun(of: running.entries, at: whole + 1, request, now: later + .seconds(1))
        #expect(third.execution.durable.lastResetAt == later + .seconds(1))
        #expect(third.execution.durable.originalStartedAt == Samples.noon)
    }

    // MARK: The run that is replaced

    @Test func theReplacedRunIsTerminated() throws {
        let stage = Stage()
        try stage.start(origin: Samples.origin("command"))
        try stage.pollWorkflowTask()
        try stage.signal("buffered")
        let request = try Samples.reset(at: 3)
        let end = stage.apply(stage.execution.decideEnd(for: request, handsOver: false, at: stage.now))
        #expect(
            stage.historyOutline.suffix(4) == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled",
                "6 WorkflowExecutionTerminated",
            ]
        )
        guard case .workflowExecutionTerminatedEventAttributes(let ended)? = stage.history.last?.attributes else {
            Issue.record("not terminated")
            return
        }
        #expect(ended.reason == "the reason" && ended.identity == "history-resetter" && ended.details == nil)
        #expect(end.statusEvents.map(\.status) == [.terminated])
    }

    /// Each command has one terminal event.
    @Test func theNewRunGoesOnWithTheCommand() throws {
        let stage = Stage()
        let origin = Samples.origin("command")
        try stage.start(origin: origin)
        try stage.run()
        let end = stage.execution.decideEnd(for: try Samples.reset(at: 4), handsOver: true, at: stage.now)
        #expect(end.statusEvents.isEmpty)
        var run = try reset(stage, at: 4, origin: origin)
        #expect(run.decision.statusEvents.isEmpty && run.execution.durable.origin == origin)
        let terminate = TerminateRequest(reason: "enough", identity: "client")
        let decision = try run.execution.decide(terminate, at: stage.now)
        #expect(decision.statusEvents.map(\.sequence) == [2])
        run.apply(decision)
        // One that inherits no command publishes nothing.
        let other = try reset(stage, at: 4)
        #expect(try other.execution.decide(terminate, at: stage.now).statusEvents.isEmpty)
    }

    @Test func refusedRequests() throws {
        func refusal(_ adjust: (inout ResetWorkflowExecutionRequest) -> Void) -> String? {
            do throws(RequestError) {
                _ = try Samples.reset(at: 4, adjust)
                return nil
            } catch { return error.message }
        }
        #expect(refusal { $0.requestID = "" } == "RequestId is not set on request.")
        #expect(refusal { $0.requestID = String(repeating: "x", count: 1_001) } == "RequestId length exceeds limit.")
        #expect(refusal { $0.reason = String(repeating: "x", count: 3 << 20) } == "Blob data size exceeds limit.")
        var signal = PostResetOperation()
        signal.variant = .signalWorkflow(.init())
        let unsupported = "unsupported post reset operation: *workflow.PostResetOperation_SignalWorkflow_"
        #expect(refusal { $0.postResetOperations = [signal] } == unsupported)
        #expect(refusal { $0.reason = "" } == nil)
    }
}
