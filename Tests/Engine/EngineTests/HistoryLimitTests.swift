import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// What happens at the limits of a run's history, memo and search attributes.
@Suite struct HistoryLimitTests {
    private func started(events limit: Int64 = 51_200) throws -> Stage {
        let stage = Stage()
        stage.limits.historyEvents = limit
        try stage.start()
        return stage
    }

    private func refusal(_ decision: Decision) -> String? {
        guard case .refused(let error) = decision.reply, error.code == .invalidArgument else { return nil }
        return error.message
    }

    private static let tooMany = "Workflow history count exceeds limit."

    @Test func signalBeyondTheLimitTerminatesTheRun() throws {
        let stage = try started(events: 5)
        for name in ["one", "two", "three"] { #expect(refusal(try stage.signal(name)) == nil) }
        let last = try stage.signal("four")
        #expect(refusal(last) == Self.tooMany)
        #expect(last.outline == ["6 WorkflowExecutionTerminated"])
        #expect(stage.execution.durable.status == .terminated)
        #expect(throws: RequestError.self) { try stage.signal("five") }
    }

    /// The workflow task that the signal would schedule counts, too.
    @Test func theEventsOfATransitionCountTogether() throws {
        let stage = try started(events: 5)
        try stage.run()
        #expect(stage.execution.durable.lastEventID == 4)
        #expect(refusal(try stage.signal("one")) == Self.tooMany)
        #expect(stage.historyOutline.last == "5 WorkflowExecutionTerminated")
    }

    @Test func completionThatSchedulesItsNextTaskBeyondTheLimitFailsTheTask() throws {
        let stage = try started(events: 5)
        try stage.signal("one")
        try stage.pollWorkflowTask()
        try stage.signal("two")
        let decision = try stage.complete()
        #expect(
            decision.eventOutline == [
                "4 WorkflowTaskStarted", "5 WorkflowTaskFailed", "6 WorkflowExecutionSignaled",
                "7 WorkflowExecutionTerminated",
            ]
        )
        #expect(refusal(decision) == Self.tooMany)
        guard case .workflowTaskFailedEventAttributes(let failed) = decision.events[1].attributes else {
            Issue.record("the task did not fail")
            return
        }
        #expect(failed.cause == .forceCloseCommand)
        #expect(failed.failure == nil)
        #expect(failed.identity == "history-service")
    }

    @Test func completionThatEndsTheRunMayExceedTheLimit() throws {
        let stage = try started(events: 4)
        let decision = try stage.run(Samples.complete())
        #expect(decision.eventOutline.last == "5 WorkflowExecutionCompleted")
        #expect(stage.execution.durable.status == .completed)
    }

    @Test func firedTimerBeyondTheLimitTerminatesTheRun() throws {
        let stage = try started(events: 5)
        try stage.run(Samples.startTimer("t", .seconds(1)))
        stage.passAndDecide(.seconds(1))
        #expect(stage.historyOutline.last == "6 WorkflowExecutionTerminated")
    }

    @Test func activityResultBeyondTheLimitTerminatesTheRun() throws {
        let stage = try started(events: 7)
        try stage.run(Samples.schedule("a"))
        try stage.pollActivity(5)
        #expect(refusal(try stage.completeActivity(5)) == Self.tooMany)
        #expect(stage.historyOutline.last == "6 WorkflowExecutionTerminated")
    }

    /// Buffered events count when they are written.
    @Test func bufferedEventsDoNotCountUntilTheyAreWritten() throws {
        let stage = try started(events: 5)
        try stage.pollWorkflowTask()
        for number in 0..<9 { #expect(refusal(try stage.signal("s\(number)")) == nil) }
        #expect(stage.execution.isRunning)
        #expect(refusal(try stage.complete()) == Self.tooMany)
    }

    @Test func noTaskStartsOnARunThatIsTooLarge() throws {
        let stage = try started()
        stage.limits.historyBytes = 100
        let decision = try #require(
            stage.execution.endedByLimit(beforeWorkflowTask: false, at: stage.now, stage.limits)
        )
        #expect(decision.outline == ["3 WorkflowExecutionTerminated"])
        stage.limits.historyBytes = 50 << 20
        #expect(stage.execution.endedByLimit(beforeWorkflowTask: true, at: stage.now, stage.limits) == nil)
    }

    /// The event that says that the task was started is written later, but counts when it starts.
    @Test func noTaskStartsWithoutRoomForItsEvent() throws {
        let stage = try started(events: 2)
        #expect(stage.execution.endedByLimit(beforeWorkflowTask: false, at: stage.now, stage.limits) == nil)
        let decision = try #require(stage.execution.endedByLimit(beforeWorkflowTask: true, at: stage.now, stage.limits))
        #expect(refusal(decision) == Self.tooMany)
    }

    @Test func bothReasonsToContinueAsNewAreNamed() throws {
        let stage = try started()
        stage.limits.suggestedEvents = 2
        stage.limits.suggestedBytes = 1
        try stage.pollWorkflowTask()
        guard case .workflowTaskStartedEventAttributes(let it) = try stage.complete().events[0].attributes else {
            Issue.record("no attributes")
            return
        }
        #expect(it.suggestContinueAsNewReasons == [.historySizeTooLarge, .tooManyHistoryEvents])
    }

    // MARK: Memo and search attributes

    private func memo(_ fields: [String: Int]) -> RawMessage<Memo> {
        var memo = Memo()
        for (name, size) in fields {
            var payload = Payload()
            payload.data = [UInt8](repeating: 120, count: size)
            memo.fields[name] = payload
        }
        return RawMessage(memo)
    }

    private func upsert(_ memo: RawMessage<Memo>?) -> Command {
        var attributes = ModifyWorkflowPropertiesCommandAttributes()
        attributes.upsertedMemo = memo
        var command = Command()
        command.commandType = .modifyWorkflowProperties
        command.attributes = .modifyWorkflowPropertiesCommandAttributes(attributes)
        return command
    }

    @discardableResult
    private func run(_ stage: Stage, _ commands: [Command]) throws -> Decision {
        try stage.pollWorkflowTask()
        return try stage.complete { $0.commands = commands }
    }

    @Test func largeMemoOfAStartIsRefused() throws {
        var limits = Limits()
        limits.memoBytes = 1_000
        #expect(throws: Never.self) { try Samples.start(limits: limits) { $0.memo = memo(["a": 900]) } }
        let error = #expect(throws: RequestError.self) {
            try Samples.start(limits: limits) { $0.memo = memo(["a": 1_000]) }
        }
        #expect(error?.message == "Memo size exceeds limit.")
    }

    @Test func memoThatGrowsTooLargeTerminatesTheRun() throws {
        for start in [memo(["a": 600]), nil] {
            let stage = Stage()
            stage.limits.memoBytes = 1_000
            try stage.start { $0.memo = start }
            let first = start == nil ? [upsert(memo(["c": 600]))] : []
            let decision = try run(stage, first + [upsert(memo(["b": 600]))])
            let reason =
                "BadModifyWorkflowPropertiesAttributes: ModifyWorkflowPropertiesCommandAttributes. "
                + "Memo exceeds size limit."
            #expect(refusal(decision) == reason)
            #expect(stage.execution.durable.status == .terminated)
        }
    }

    @Test func memoThatIsReplacedDoesNotGrow() throws {
        let stage = Stage()
        stage.limits.memoBytes = 1_000
        try stage.start { $0.memo = memo(["a": 900]) }
        try run(stage, [upsert(memo(["a": 800])), upsert(memo(["a": 700]))])
        #expect(stage.execution.isRunning)
        #expect(stage.execution.durable.memo?.bytes.count ?? 0 < 800)
    }

    @Test func absentMemoFailsTheTask() throws {
        let stage = try started()
        let decision = try stage.run(upsert(nil))
        #expect(
            refusal(decision)
                == "BadModifyWorkflowPropertiesAttributes: UpsertedMemo is not set on ModifyWorkflowPropertiesCommand."
        )
        #expect(stage.execution.isRunning)
    }

    @Test func searchAttributesThatGrowTooLargeTerminateTheRun() throws {
        let stage = try started()
        stage.limits.searchAttributesBytes = 300
        try stage.run(Samples.upsertSearchAttributes(["A": String(repeating: "x", count: 100)]))
        #expect(stage.execution.isRunning)
        try stage.signal("go")
        let long = String(repeating: "x", count: 100)
        let more = Samples.upsertSearchAttributes(["B": long])
        let message = try #require(refusal(try run(stage, [more, Samples.upsertSearchAttributes(["C": long])])))
        #expect(message.contains("exceeds size limit 300"))
        #expect(stage.execution.durable.status == .terminated)
    }

    @Test func searchAttributesOfAStartAreLimited() throws {
        var limits = Limits()
        limits.searchAttributes = 2
        limits.searchAttributeBytes = 10
        func refusal(_ values: [String: Int]) -> String? {
            let raw = RawMessage(SearchAttributes.with(values))
            do throws(RequestError) {
                var request = StartWorkflowExecutionRequest()
                request.workflowID = "w"
                request.workflowType = WorkflowType()
                request.workflowType?.name = "t"
                request.taskQueue = TaskQueue()
                request.taskQueue?.name = "q"
                request.searchAttributes = raw
                _ = try StartRequest(request, limits: limits)
                return nil
            } catch {
                return error.message
            }
        }
        #expect(refusal(["A": 1, "B": 1]) == nil)
        #expect(refusal(["A": 1, "B": 1, "C": 1]) == "number of search attributes 3 exceeds limit 2")
        #expect(refusal(["A": 11]) == "search attribute A value size 11 exceeds size limit 10")
        #expect(refusal(["RunId": 1]) == "RunId attribute can't be set in SearchAttributes")
        limits.searchAttributesBytes = 8
        #expect(refusal(["A": 6])?.hasSuffix("exceeds size limit 8") == true)
    }
}

extension SearchAttributes {
    fileprivate static func with(_ sizes: [String: Int]) -> SearchAttributes {
        var attributes = SearchAttributes()
        for (name, size) in sizes {
            var payload = Payload()
            payload.data = [UInt8](repeating: 120, count: size)
            attributes.indexedFields[name] = payload
        }
        return attributes
    }
}
