import SagamoreAPI
import SagamoreEngine
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Synchronization

/// A History that does what a test says, and refuses everything else.
final class FakeHistory: HistoryClient {
    struct Handlers: Sendable {
        var start: (@Sendable (StartRequest, Int32, Reply<StartedRun>) -> Void)?
        var signal: (@Sendable (WorkflowReference, SignalRequest, Reply<RunID>) -> Void)?
        var cancel: (@Sendable (WorkflowReference, CancelRequest, Reply<Void>) -> Void)?
        var terminate: (@Sendable (WorkflowReference, TerminateRequest, Reply<Void>) -> Void)?
        var query:
            (
                @Sendable (WorkflowReference, WorkflowQuery, QueryRejectCondition, Instant, Reply<QueryOutcome>) -> Void
            )?
        var update:
            (
                @Sendable (
                    WorkflowReference, UpdateRequest, UpdateWorkflowExecutionLifecycleStage, Instant,
                    Reply<UpdateStatus>
                ) -> Void
            )?
        var pollUpdate:
            (
                @Sendable (
                    WorkflowReference, String, UpdateWorkflowExecutionLifecycleStage, Instant, Reply<UpdateStatus>
                ) -> Void
            )?
        var describe: (@Sendable (WorkflowReference, Reply<DescribeWorkflowExecutionResponse>) -> Void)?
        var delete: (@Sendable (WorkflowReference, Reply<Void>) -> Void)?
        var reset: (@Sendable (WorkflowReference, ResetRequest, Reply<RunID>) -> Void)?
        var updateOptions:
            (@Sendable (WorkflowReference, ExecutionOptionsRequest, Reply<WorkflowExecutionOptions>) -> Void)?
        var readHistory: (@Sendable (WorkflowReference, HistoryRead, Reply<HistoryPage>) -> Void)?
        var completeWorkflowTask:
            (@Sendable (WorkflowTaskToken, RespondWorkflowTaskCompletedRequest, Reply<CompletedWorkflowTask>) -> Void)?
        var failWorkflowTask:
            (@Sendable (WorkflowTaskToken, WorkflowTaskFailedCause, RawMessage<Failure>?, Reply<Void>) -> Void)?
        var completeActivity: (@Sendable (ActivityTaskToken, RawMessage<Payloads>?, String, Reply<Void>) -> Void)?
        var failActivity:
            (@Sendable (ActivityTaskToken, RawMessage<Failure>?, RawMessage<Payloads>?, Reply<Void>) -> Void)?
        var cancelActivity: (@Sendable (ActivityTaskToken, RawMessage<Payloads>?, Reply<Void>) -> Void)?
        var heartbeat: (@Sendable (ActivityTaskToken, RawMessage<Payloads>?, Reply<HeartbeatAnswer>) -> Void)?
        var answerActivity:
            (@Sendable (String, WorkflowReference, ActivityAnswer, String, Reply<HeartbeatAnswer>) -> Void)?
        var operate:
            (
                @Sendable (ActivityOperation, ActivitySelection, WorkflowReference, String, Reply<ActivityOptions?>) ->
                    Void
            )?
        var returnActivity: (@Sendable (ActivityTaskToken) -> Void)?
        var answerQuery: (@Sendable (TaskToken.QueryToken, QueryAnswer, Reply<Void>) -> Void)?
    }

    private let handlers: Handlers

    init(_ fill: (inout Handlers) -> Void = { _ in }) {
        var handlers = Handlers()
        fill(&handlers)
        self.handlers = handlers
    }

    private func unexpected<Success>(_ reply: Reply<Success>, _ name: String = #function) {
        reply.fail(RequestError(.internalError, "nobody expected \(name)"))
    }

    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>) {
        if let handler = handlers.start { handler(request, namespace, reply) } else { unexpected(reply) }
    }

    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>) {
        if let handler = handlers.signal { handler(workflow, request, reply) } else { unexpected(reply) }
    }

    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>) {
        if let handler = handlers.cancel { handler(workflow, request, reply) } else { unexpected(reply) }
    }

    func reset(_ workflow: WorkflowReference, _ request: ResetRequest, reply: Reply<RunID>) {
        if let handler = handlers.reset { handler(workflow, request, reply) } else { unexpected(reply) }
    }

    func updateOptions(
        _ workflow: WorkflowReference,
        _ request: ExecutionOptionsRequest,
        reply: Reply<WorkflowExecutionOptions>
    ) {
        if let handler = handlers.updateOptions { handler(workflow, request, reply) } else { unexpected(reply) }
    }

    func delete(_ workflow: WorkflowReference, reply: Reply<Void>) {
        if let handler = handlers.delete { handler(workflow, reply) } else { unexpected(reply) }
    }
    func resetStickyQueue(_ workflow: WorkflowReference, reply: Reply<Void>) { unexpected(reply) }

    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {
        if let handler = handlers.terminate { handler(workflow, request, reply) } else { unexpected(reply) }
    }

    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {
        guard let handler = handlers.query else { return unexpected(reply) }
        handler(workflow, query, rejecting, deadline, reply)
    }

    func update(
        _ workflow: WorkflowReference,
        _ request: UpdateRequest,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        guard let handler = handlers.update else { return unexpected(reply) }
        handler(workflow, request, stage, deadline, reply)
    }

    func startAndUpdate(
        _: StartRequest,
        _: UpdateRequest,
        namespace _: Int32,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline _: Instant,
        reply: Reply<StartedUpdate>
    ) { unexpected(reply) }

    func pollUpdate(
        _ workflow: WorkflowReference,
        id: String,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        guard let handler = handlers.pollUpdate else { return unexpected(reply) }
        handler(workflow, id, stage, deadline, reply)
    }

    func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>) {
        if let handler = handlers.describe { handler(workflow, reply) } else { unexpected(reply) }
    }

    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>) {
        if let handler = handlers.readHistory { handler(workflow, request, reply) } else { unexpected(reply) }
    }

    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>) {
        unexpected(reply)
    }

    func startActivityTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<AssignedActivityTask>) {
        unexpected(reply)
    }

    func abandonSticky(_ task: MatchingTask) {}

    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    ) {
        if let handler = handlers.completeWorkflowTask { handler(token, request, reply) } else { unexpected(reply) }
    }

    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    ) {
        if let handler = handlers.failWorkflowTask { handler(token, cause, failure, reply) } else { unexpected(reply) }
    }

    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        guard let handler = handlers.completeActivity else { return unexpected(reply) }
        handler(token, result, identity, reply)
    }

    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        guard let handler = handlers.failActivity else { return unexpected(reply) }
        handler(token, failure, lastHeartbeat, reply)
    }

    func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        if let handler = handlers.cancelActivity { handler(token, details, reply) } else { unexpected(reply) }
    }

    func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<HeartbeatAnswer>) {
        if let handler = handlers.heartbeat { handler(token, details, reply) } else { unexpected(reply) }
    }

    func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        reply: Reply<HeartbeatAnswer>
    ) {
        guard let handler = handlers.answerActivity else { return unexpected(reply) }
        handler(activityID, workflow, answer, identity, reply)
    }

    func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        reply: Reply<ActivityOptions?>
    ) {
        guard let handler = handlers.operate else { return unexpected(reply) }
        handler(operation, activities, workflow, identity, reply)
    }

    func returnActivity(_ token: ActivityTaskToken) { handlers.returnActivity?(token) }

    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {
        if let handler = handlers.answerQuery { handler(token, answer, reply) } else { unexpected(reply) }
    }

    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>) { unexpected(reply) }

    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>) {
        unexpected(reply)
    }
}

/// A poll as Matching saw it.
struct SeenPoll: Sendable {
    let queue: TaskQueueKey
    let isSticky: Bool
    let poller: PollerIdentity
    let deadline: Instant
}

/// A Matching that does what a test says.
final class FakeMatching: MatchingClient {
    struct Handlers: Sendable {
        var workflowTask: (@Sendable (SeenPoll, Reply<PolledWorkflowTask>) -> Void)?
        var activityTask: (@Sendable (SeenPoll, Reply<AssignedActivityTask?>) -> Void)?
        var cancelPoll: (@Sendable (PollHandle) -> Void)?
        var workerShutDown: (@Sendable (DepartingWorker) -> Void)?
        var connectionEnded: (@Sendable (UInt64) -> Void)?
        var describe: (@Sendable (TaskQueueKey) -> TaskQueueDescription)?
    }

    private let settings = Mutex<[TaskQueueKey: TaskQueueConfig]>([:])

    private let handlers: Handlers
    private let polls = Atomic<UInt64>(0)

    init(_ fill: (inout Handlers) -> Void = { _ in }) {
        var handlers = Handlers()
        fill(&handlers)
        self.handlers = handlers
    }

    func offer(_ task: MatchingTask) {}

    func describe(_ queue: TaskQueueKey) -> TaskQueueDescription {
        handlers.describe?(queue) ?? TaskQueueDescription(at: Instant(nanoseconds: 0))
    }

    func configure(
        _ queue: TaskQueueKey,
        _ change: (inout TaskQueueConfig) throws(RequestError) -> Void
    ) throws(RequestError) -> TaskQueueConfig {
        try settings.withLock { (settings) throws(RequestError) in
            var new = settings[queue] ?? TaskQueueConfig()
            try change(&new)
            settings[queue] = new
            return new
        }
    }

    func pollWorkflowTask(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<PolledWorkflowTask>
    ) -> PollHandle {
        let poll = SeenPoll(queue: queue, isSticky: isSticky, poller: poller, deadline: deadline)
        if let handler = handlers.workflowTask { handler(poll, reply) } else { reply.succeed(.none) }
        return handle(queue)
    }

    func pollActivityTask(
        _ queue: TaskQueueKey,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<AssignedActivityTask?>
    ) -> PollHandle {
        let poll = SeenPoll(queue: queue, isSticky: false, poller: poller, deadline: deadline)
        if let handler = handlers.activityTask { handler(poll, reply) } else { reply.succeed(nil) }
        return handle(queue)
    }

    private func handle(_ queue: TaskQueueKey) -> PollHandle {
        PollHandle(queue: queue, id: polls.add(1, ordering: .relaxed).newValue)
    }

    func cancelPoll(_ handle: PollHandle) { handlers.cancelPoll?(handle) }

    func workerShutDown(_ worker: DepartingWorker) {
        handlers.workerShutDown?(worker)
    }

    func connectionEnded(_ connectionID: UInt64) { handlers.connectionEnded?(connectionID) }
}

/// Notes what is asked, and finds what it was given.
final class FakeVisibility: VisibilityClient {
    let asked = Mutex<[String]>([])
    private let counts: [CountedRuns]

    init(counts: [CountedRuns] = []) { self.counts = counts }

    func list(_ request: ListRequest, reply: Reply<ListedRuns>) {
        let token = String(decoding: request.token, as: UTF8.self)
        asked.withLock { $0.append("\(request.namespace.name) \(request.limit) \(token)|\(request.query)") }
        var run = WorkflowExecutionInfo()
        run.taskQueue = "found"
        reply.succeed(ListedRuns(runs: [run], token: Array("next".utf8)))
    }

    func count(_ query: String, in namespace: NamespaceRecord, reply: Reply<[CountedRuns]>) {
        asked.withLock { $0.append("\(namespace.name)|\(query)") }
        reply.succeed(counts)
    }
}

/// Notes what is asked, and agrees.
final class FakeBatches: BatchClient {
    let asked = Mutex<[String]>([])

    func start(_ request: StartBatchOperationRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        asked.withLock { $0.append("start \(request.jobID)") }
        reply.succeed(())
    }

    func stop(_ request: StopBatchOperationRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        asked.withLock { $0.append("stop \(request.jobID)") }
        reply.succeed(())
    }

    func describe(_ jobID: String, in namespace: NamespaceRecord, reply: Reply<DescribeBatchOperationResponse>) {
        asked.withLock { $0.append("describe \(jobID)") }
        reply.succeed(DescribeBatchOperationResponse())
    }

    func list(
        _ request: ListBatchOperationsRequest,
        in namespace: NamespaceRecord,
        reply: Reply<ListBatchOperationsResponse>
    ) {
        reply.succeed(ListBatchOperationsResponse())
    }
}

/// Namespaces in memory.
final class FakeNamespaces: NamespaceRegistry {
    private let records: Mutex<[NamespaceRecord]>

    init(_ names: [String] = ["default", "other"]) {
        records = Mutex(names.enumerated().map { Self.record(Int32($0.offset + 1), $0.element) })
    }

    static func record(_ number: Int32, _ name: String) -> NamespaceRecord {
        NamespaceRecord(
            number: number,
            id: RunID(high: 0, low: UInt64(number)).description,
            name: name,
            description: "the \(name) one",
            ownerEmail: "\(name)@example.com",
            retention: .seconds(86_400),
            data: ["of": name]
        )
    }

    func namespace(named name: String) throws(RequestError) -> NamespaceRecord {
        guard let record = list().first(where: { $0.name == name }) else {
            throw RequestError(.notFound, "no such namespace")
        }
        return record
    }

    func namespace(numbered number: Int32) -> NamespaceRecord? { list().first { $0.number == number } }

    func list() -> [NamespaceRecord] { records.withLock { $0 } }

    func register(
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: ProtobufMap<String>
    ) throws(RequestError) -> NamespaceRecord {
        let added: NamespaceRecord? = records.withLock { records in
            if records.contains(where: { $0.name == name }) { return nil }
            let number = Int32(records.count + 1)
            let record = NamespaceRecord(
                number: number,
                id: RunID(high: 0, low: UInt64(number)).description,
                name: name,
                description: description,
                ownerEmail: ownerEmail,
                retention: retention,
                data: data
            )
            records.append(record)
            return record
        }
        guard let added else { throw RequestError(.alreadyExists, "taken") }
        return added
    }

    func update(_ name: String, _ change: NamespaceChange) throws(RequestError) -> NamespaceRecord {
        let changed = change.applied(to: try namespace(named: name))
        replace(changed)
        return changed
    }

    func delete(_ name: String) throws(RequestError) -> NamespaceRecord {
        let record = try namespace(named: name)
        if record.isDeleted { return record }
        let deleted = NamespaceRecord(
            number: record.number,
            id: record.id,
            name: "\(name)-deleted-\(record.id.prefix(5))",
            description: record.description,
            ownerEmail: record.ownerEmail,
            retention: record.retention,
            data: record.data,
            state: .deleted,
            isDeleted: true
        )
        replace(deleted)
        return deleted
    }

    func addSearchAttributes(
        _ attributes: [(name: String, type: SearchAttributeType)],
        to name: String
    ) throws(RequestError) -> NamespaceRecord {
        let record = try namespace(named: name)
        let known = record.searchAttributes.ownAttributes
        let next = (known.map(\.id).max() ?? 0) + 1
        let new = attributes.enumerated().map {
            SearchAttribute(id: next + Int32($0.offset), name: $0.element.name, type: $0.element.type)
        }
        replace(record, searchAttributes: known + new)
        return try namespace(named: name)
    }

    func removeSearchAttributes(_ names: [String], from name: String) throws(RequestError) -> NamespaceRecord {
        let record = try namespace(named: name)
        replace(record, searchAttributes: record.searchAttributes.ownAttributes.filter { !names.contains($0.name) })
        return try namespace(named: name)
    }

    private func replace(_ record: NamespaceRecord, searchAttributes: [SearchAttribute]) {
        replace(
            NamespaceRecord(
                number: record.number,
                id: record.id,
                name: record.name,
                description: record.description,
                ownerEmail: record.ownerEmail,
                retention: record.retention,
                data: record.data,
                state: record.state,
                searchAttributes: searchAttributes
            )
        )
    }

    func refresh() throws(RequestError) {}

    private func replace(_ record: NamespaceRecord) {
        records.withLock { records in
            guard let index = records.firstIndex(where: { $0.number == record.number }) else { return }
            records[index] = record
        }
    }
}
