import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Children: their commands, starts and ends.
@Suite struct ChildTests {
    /// A run with a child that was initiated by event 5.
    private static func stage(
        _ adjust: (inout StartChildWorkflowExecutionCommandAttributes) -> Void = { _ in }
    ) throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.startChild("child", adjust))
        return stage
    }

    private static func attributes<Value>(
        _ event: HistoryEvent?,
        _ read: (HistoryEvent.OneOf_Attributes?) -> Value?
    ) throws -> Value {
        try #require(read(event?.attributes))
    }

    private static func priority(_ key: Int32, _ fairnessKey: String = "") -> Priority {
        var priority = Priority()
        priority.priorityKey = key
        priority.fairnessKey = fairnessKey
        return priority
    }

    @Test func initiatedEventHasDefaults() throws {
        let stage = try Self.stage()
        let event = stage.history[4]
        #expect(event.eventType == .startChildWorkflowExecutionInitiated)
        guard case .startChildWorkflowExecutionInitiatedEventAttributes(let it) = event.attributes else { return }
        #expect(it.namespace == "default")
        #expect(it.namespaceID == Samples.namespace.id)
        #expect(it.taskQueue?.name == "travel")
        #expect(it.parentClosePolicy == .terminate)
        #expect(it.workflowIDReusePolicy == .allowDuplicate)
        #expect(it.workflowExecutionTimeout == nil)
        #expect(Interval(it.workflowRunTimeout) == .zero)
        #expect(it.workflowRunTimeout != nil)
        #expect(Interval(it.workflowTaskTimeout) == .seconds(10))
        #expect(it.workflowTaskCompletedEventID == 4)
    }

    @Test func startRequestCarriesTheOptions() throws {
        let stage = Stage()
        try stage.start {
            $0.priority = Self.priority(1, "f")
        }
        try stage.run(
            Samples.startChild("child") { attributes in
                attributes.workflowExecutionTimeout = Interval.seconds(60).duration
                attributes.workflowRunTimeout = Interval.seconds(90).duration
                attributes.taskQueue = Samples.queue("own")
                attributes.memo = Samples.memo(["a": "1"])
                attributes.workflowIDReusePolicy = .rejectDuplicate
                attributes.priority = Self.priority(4)
            }
        )
        guard case .start(let start)? = try stage.message(5) else {
            Issue.record("no start")
            return
        }
        #expect(start.request.taskQueue?.name == "own")
        #expect(Interval(start.request.workflowRunTimeout) == .seconds(60))
        #expect(start.request.memo == Samples.memo(["a": "1"]))
        #expect(start.request.workflowIDReusePolicy == .rejectDuplicate)
        #expect(
            start.request.priority
                == Self.priority(4, "f")
        )
        #expect(start.request.requestID == "\(Samples.runID)/5")
        #expect(start.lineage.parent?.runID == Samples.runID)
        #expect(start.lineage.parent?.initiatedEventID == 5)
        #expect(start.lineage.root == Lineage.Root(workflowID: Samples.key.workflowID, runID: Samples.runID))
        // The child's first event names both.
        let child = SagamoreEngine.Execution(key: Samples.key, runID: Samples.childRunID)
        let started = child.decide(start, at: stage.now).events[0]
        guard case .workflowExecutionStartedEventAttributes(let it) = started.attributes else { return }
        #expect(it.parentWorkflowNamespace == "default")
        #expect(it.parentWorkflowNamespaceID == Samples.namespace.id)
        #expect(it.parentWorkflowExecution?.runID == Samples.runID.description)
        #expect(it.parentInitiatedEventID == 5)
        #expect(it.rootWorkflowExecution?.runID == Samples.runID.description)
        #expect(it.identity == "")
    }

    @Test func childStartsAndEnds() throws {
        for number in Samples.childEnds.indices {
            let stage = try Self.stage()
            #expect(stage.execution.durable.owed == [5])
            let started = stage.answer(.started(Samples.childRunID), to: 5)
            #expect(
                started.outline == [
                    "6 ChildWorkflowExecutionStarted", "7 WorkflowTaskScheduled", "offer workflow 7#1 on travel",
                ]
            )
            #expect(stage.execution.durable.owed == [])
            #expect(stage.execution.durable.children[5]?.runID == Samples.childRunID.description)
            let ended = stage.childEnded(5, "child", number)
            #expect(ended.events.map(\.eventID) == [8])
            #expect(stage.execution.durable.children.isEmpty)
            // The report comes again: it is answered, and nothing happens.
            #expect(stage.childEnded(5, "child", number).entries.isEmpty)
        }
    }

    @Test func endsKeepWhatTheChildReturned() throws {
        func ended(_ number: Int) throws -> HistoryEvent.OneOf_Attributes? {
            let stage = try Self.stage()
            stage.answer(.started(Samples.childRunID), to: 5)
            return stage.childEnded(5, "child", number).events.first?.attributes
        }
        guard case .childWorkflowExecutionCompletedEventAttributes(let completed)? = try ended(0),
            case .childWorkflowExecutionFailedEventAttributes(let failed)? = try ended(1),
            case .childWorkflowExecutionCanceledEventAttributes(let canceled)? = try ended(2),
            case .childWorkflowExecutionTimedOutEventAttributes(let timedOut)? = try ended(3),
            case .childWorkflowExecutionTerminatedEventAttributes(let terminated)? = try ended(4)
        else {
            Issue.record("other events")
            return
        }
        #expect(completed.result == Samples.payloads("result"))
        #expect(completed.workflowExecution?.runID == Samples.childRunID.description)
        #expect((completed.initiatedEventID, completed.startedEventID) == (5, 6))
        #expect(failed.failure == Samples.failure("no child"))
        #expect(failed.retryState == .retryPolicyNotSet)
        #expect(canceled.details == Samples.payloads("details"))
        #expect(timedOut.retryState == .timeout)
        #expect((terminated.initiatedEventID, terminated.startedEventID) == (5, 6))
    }

    @Test func endThatOvertakesTheAnswerAlsoStarts() throws {
        let stage = try Self.stage()
        let ended = stage.childEnded(5, "child")
        #expect(
            ended.eventOutline == [
                "6 ChildWorkflowExecutionStarted", "7 ChildWorkflowExecutionCompleted", "8 WorkflowTaskScheduled",
            ]
        )
        #expect(stage.execution.durable.owed == [])
        #expect(stage.answer(.started(Samples.childRunID), to: 5).entries.isEmpty)
    }

    @Test(arguments: [
        (RequestError(.alreadyExists, "runs"), StartChildWorkflowExecutionFailedCause.workflowAlreadyExists),
        (RequestError(.notFound, "no namespace"), .namespaceNotFound),
    ])
    func refusedStart(_ error: RequestError, _ cause: StartChildWorkflowExecutionFailedCause) throws {
        let stage = try Self.stage { $0.control = "c" }
        let event = try #require(stage.answer(.refused(error), to: 5).events.first)
        guard case .startChildWorkflowExecutionFailedEventAttributes(let it) = event.attributes else {
            Issue.record("another event")
            return
        }
        #expect(it.cause == cause)
        #expect(it.control == "c")
        #expect(it.initiatedEventID == 5)
        #expect(stage.execution.durable.children.isEmpty)
    }

    /// Temporal's order: what children return comes last, and names the start that waited with it.
    @Test func eventsDuringATaskWaitForItsEnd() throws {
        let stage = try Self.stage()
        try stage.signal("before")
        try stage.pollWorkflowTask()
        stage.answer(.started(Samples.childRunID), to: 5)
        stage.childEnded(5, "child")
        try stage.signal("after")
        #expect(stage.execution.durable.owed == [])
        let completed = try stage.complete()
        #expect(
            completed.eventOutline.suffix(4) == [
                "10 ChildWorkflowExecutionStarted", "11 WorkflowExecutionSignaled",
                "12 ChildWorkflowExecutionCompleted", "13 WorkflowTaskScheduled",
            ]
        )
        guard case .childWorkflowExecutionCompletedEventAttributes(let it) = stage.history[11].attributes else {
            return
        }
        #expect(it.startedEventID == 10)
    }

    @Test func pendingChildrenAreLimited() throws {
        let stage = Stage()
        stage.limits.pendingChildren = 2
        try stage.start()
        try stage.pollWorkflowTask()
        let decision = try stage.complete(
            Samples.startChild("a"),
            Samples.startChild("b"),
            Samples.startChild("c")
        )
        guard case .refused(let error) = decision.reply else {
            Issue.record("three children were taken")
            return
        }
        #expect(
            error.message == "PendingChildWorkflowsLimitExceeded: the number of pending child workflow executions, 2, "
                + "has reached the per-workflow limit of 2"
        )
    }

    private static let context = "WorkflowId=a WorkflowType=Child Namespace=default"
    private static let bad: [(Command, String)] = [
        (
            Samples.startChild(""),
            "Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. "
                + "WorkflowType=Child Namespace=default"
        ),
        (
            Samples.startChild("a") { $0.workflowType = nil },
            "Required field WorkflowType is not set on StartChildWorkflowExecutionCommand. "
                + "WorkflowId=a Namespace=default"
        ),
        (Samples.startChild("a") { $0.namespace = "other" }, "cross namespace commands are not allowed"),
        (
            Samples.startChild("a") { $0.workflowRunTimeout = negative },
            "Invalid WorkflowRunTimeout on StartChildWorkflowExecutionCommand: negative duration. \(context)"
        ),
        (
            Samples.startChild("a") { $0.retryPolicy = policy },
            "invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand: \(coefficient). \(context)"
        ),
        (
            Samples.startChild("a") { $0.taskQueue = Samples.queue("/_sys/q") },
            "invalid TaskQueue on StartChildWorkflowExecutionCommand: \(reserved). \(context) \(queue)"
        ),
    ]
    private static let negative: ProtobufDuration = {
        var duration = ProtobufDuration()
        duration.seconds = -1
        return duration
    }()
    private static let policy: RetryPolicy = {
        var policy = RetryPolicy()
        policy.backoffCoefficient = 0.5
        return policy
    }()
    private static let coefficient = "BackoffCoefficient cannot be less than 1 on retry policy."
    private static let reserved = "task queue name cannot start with reserved prefix /_sys/"
    private static let queue = "TaskQueue=name:\"/_sys/q\"  kind:TASK_QUEUE_KIND_NORMAL"

    @Test(arguments: bad)
    func badCommand(_ command: Command, _ message: String) throws {
        let stage = Stage()
        try stage.start()
        try stage.pollWorkflowTask()
        let decision = try stage.complete(command)
        guard case .refused(let error) = decision.reply else {
            Issue.record("the command was carried out")
            return
        }
        #expect(error.message == "BadStartChildExecutionAttributes: \(message)")
        #expect(decision.debts == [])
    }

    @Test func inputOverTheLimitEndsTheRun() throws {
        let stage = Stage()
        stage.limits.payloadBytes = 100
        try stage.start()
        try stage.pollWorkflowTask()
        try stage.complete(Samples.startChild("a") { $0.input = Samples.payloads(String(repeating: "x", count: 200)) })
        #expect(stage.execution.durable.status == .terminated)
    }

    /// A child is only ended by its own parent.
    @Test func terminationReachesOnlyTheChildThatIsMeant() throws {
        func terminate(_ runID: RunID, _ eventID: Int64) throws {
            let stage = Stage()
            try stage.start(lineage: Samples.childLineage)
            let sender = MessageSender(workflowID: "parent", runID: runID, eventID: 0, onlyChild: .initiated(eventID))
            let request = TerminateRequest(reason: "", identity: "", sender: sender)
            stage.apply(try stage.execution.decide(request, at: stage.now))
        }
        try terminate(Samples.parentRunID, 7)
        #expect(throws: RequestError.self) { try terminate(Samples.parentRunID, 8) }
        #expect(throws: RequestError.self) { try terminate(Samples.runID, 7) }
    }
}
