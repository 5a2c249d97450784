public import SagamoreAPI
public import SagamoreEngine
public import SagamoreLogging
public import SagamorePersistence
public import SagamoreProtobuf
public import SagamoreServices
internal import SagamoreThreads

/// Why a shard was lost.
public enum ShardLoss: Sendable {
    /// Another process owns the shard now.
    case takenByAnother
    /// The database holds fewer commits than this process saw: a standby without the newest ones took over.
    case databaseWentBack
}

/// Owns executions: finds the shard of each request, decides, commits, and replies.
public final class HistoryService: HistoryClient {
    let current: Locked<ShardSet>
    let state = Locked(State())
    let log: Logger
    let makeShard: @Sendable (Int32) -> Shard
    private let environment: HistoryEnvironment
    private let runtime: any HistoryRuntime
    let makeLoaderStore: @Sendable () throws -> any LoaderStore
    private let configuration: HistoryConfiguration
    private let process: String
    private let makeLaneStore: @Sendable (Int32) throws -> any LaneStore
    private let matching: MatchingBox
    private let contacts: Locked<DebtContacts>

    /// Callbacks that are set before `start`, and whether the service stops.
    struct State {
        var onOutboxGrowth: @Sendable (Int32) -> Void = { _ in }
        var onShardLost: @Sendable (Int32, ShardLoss) -> Void = { _, _ in }
        var onSlicesMoved: @Sendable (Int) -> Void = { _ in }
        var isStopping = false
    }

    private final class MatchingBox: Sendable {
        let client = Locked<(any MatchingClient & BacklogListener)?>(nil)
    }

    /// - Parameters:
    ///   - process: names this process among those of the same node.
    ///   - makeLaneStore: makes a shard's lane its connection; called on the lane's thread, again after a failure.
    public convenience init(
        configuration: HistoryConfiguration,
        process: String,
        makeLaneStore: @escaping @Sendable (Int32) throws -> any LaneStore,
        makeLoaderStore: @escaping @Sendable () throws -> any LoaderStore,
        encoder: any StatusEventEncoder,
        clock: @escaping @Sendable () -> Instant,
        metrics: HistoryMetrics = HistoryMetrics(),
        log: Logger
    ) {
        self.init(
            configuration: configuration,
            process: process,
            makeLaneStore: makeLaneStore,
            makeLoaderStore: makeLoaderStore,
            encoder: encoder,
            environment: .system(wallClock: clock, metrics: metrics),
            runtime: ThreadRuntime(),
            log: log
        )
    }

    init(
        configuration: HistoryConfiguration,
        process: String,
        makeLaneStore: @escaping @Sendable (Int32) throws -> any LaneStore,
        makeLoaderStore: @escaping @Sendable () throws -> any LoaderStore,
        encoder: any StatusEventEncoder,
        environment: HistoryEnvironment,
        runtime: any HistoryRuntime,
        log: Logger
    ) {
        let (matching, contacts) = (MatchingBox(), Locked(DebtContacts()))
        (self.matching, self.contacts) = (matching, contacts)
        self.configuration = configuration
        self.process = process
        self.makeLaneStore = makeLaneStore
        self.makeLoaderStore = makeLoaderStore
        self.environment = environment
        self.runtime = runtime
        self.log = log
        let makeShard: @Sendable (Int32) -> Shard = { id in
            Shard(
                id: id,
                configuration: configuration,
                environment: environment,
                encoder: encoder,
                matching: { matching.client.withLock { $0 } },
                namespace: { contacts.withLock { $0.namespaces }?.namespace(numbered: $0) },
                log: log
            )
        }
        self.makeShard = makeShard
        current = Locked(ShardSet(configuration.slices, makeShard: makeShard))
    }

    /// Sets the receiver of tasks. Called before `start`.
    public func connect(matching client: any MatchingClient & BacklogListener) {
        matching.client.withLock { $0 = client }
    }

    /// Sets the directory that names namespaces in what workflows send each other. Called before `start`.
    public func connect(namespaces: any NamespaceDirectory) {
        contacts.withLock { $0.namespaces = namespaces }
    }

    /// Sets who receives what workflows send each other, in place of this service. Called before `start`.
    public func connect(recipients client: any DebtRecipient) {
        contacts.withLock { $0.client = client }
    }

    /// Sets who is told of the ends of runs that schedules started. Until then these runs wait.
    public func connect(schedules listener: any ScheduledRunListener) {
        contacts.withLock { $0.schedules = listener }
    }

    var debtContacts: DebtContacts { contacts.withLock { $0 } }

    /// Called from a lane's thread after each commit with outbox records.
    public func onOutboxGrowth(_ handler: @escaping @Sendable (Int32) -> Void) {
        state.withLock { $0.onOutboxGrowth = handler }
    }

    /// Called when a shard is lost: it is no longer served from memory and must be reloaded.
    public func onShardLost(_ handler: @escaping @Sendable (Int32, ShardLoss) -> Void) {
        state.withLock { $0.onShardLost = handler }
    }

    /// Called with the number of shards when slices have moved, before the new shards are loaded.
    public func onSlicesMoved(_ handler: @escaping @Sendable (_ shardCount: Int) -> Void) {
        state.withLock { $0.onSlicesMoved = handler }
    }

    /// Whether every shard is owned and its runs are loaded.
    public var isReady: Bool { current.withLock { $0 }.isReady }

    var shards: [Shard] { current.withLock { $0 }.shards }

    /// Why a shard refuses requests, such as a database that is away; nil when all accept them.
    public var obstacle: String? {
        shards.lazy.compactMap { shard in shard.perform { shard.obstacle() } }.first?.message
    }

    /// What each shard looks like now.
    public func figures() -> [ShardFigures] {
        shards.map { shard in
            let (isOwned, workflows) = shard.perform {
                (shard.state.ownership.isOwned, shard.state.runs.contexts.count)
            }
            return ShardFigures(id: shard.id, isOwned: isOwned, workflows: workflows, queuedItems: shard.lane.count)
        }
    }

    /// Takes the shards and recovers their runs. Returns at once.
    public func start() { start(current.withLock { $0 }) }

    func start(_ set: ShardSet) {
        let members = ShardMembers(
            lanes: set.shards.map { lane(of: $0, in: set) },
            loaders: set.shards.map { loader(of: $0, in: set) },
            timers: set.shards.map { ShardTimer(shard: $0) },
            deliveries: set.shards.map { delivery(of: $0) },
            makeLoaderStore: makeLoaderStore,
            steadyClock: environment.steadyClock,
            log: log
        )
        set.start(members, on: runtime)
    }

    private func lane(of shard: Shard, in set: ShardSet) -> CommitLane {
        let (onOutboxGrowth, onLost) = state.withLock { ($0.onOutboxGrowth, $0.onShardLost) }
        let makeLaneStore = self.makeLaneStore
        // A server that owned only some shards would serve nobody, as would the one that owned the rest.
        let first = set.shards[0]
        return CommitLane(
            shard: shard,
            owner: ShardOwner(
                node: configuration.node,
                process: process,
                sliceVersion: set.slices.version,
                leavesNumbersOut: true
            ),
            random: environment.makeRandom(),
            makeStore: { try makeLaneStore(shard.id) },
            mayTake: { shard === first || first.perform { first.state.ownership.isOwned } },
            onTaken: { shard.loads.add(.recover(after: nil, count: 0)) },
            onOutboxGrowth: onOutboxGrowth,
            onUncompensated: { [weak self] in self?.uncompensated($0, in: shard) },
            onLost: onLost,
            onSlicesMoved: { [weak self, weak set] in if let set { self?.slicesMoved(set) } }
        )
    }

    /// What the saga did stands: nobody but a person can say what to do.
    private func uncompensated(_ outcome: SagaOutcome, in shard: Shard) {
        let key = outcome.run.key
        environment.metrics.countUncompensated(in: shard.namespace(key.namespace)?.name ?? "\(key.namespace)")
        var metadata = shard.about(key, outcome.run.runID, outcome.origin)
        metadata["workflow_type"] = "\(outcome.run.workflowType)"
        log.error("a saga failed to compensate: look at it with 'sagamore workflow show'", metadata: metadata)
    }

    private func loader(of shard: Shard, in set: ShardSet) -> Loader {
        let matching = self.matching
        return Loader(
            shard: shard,
            onWaitingQueues: { queues in
                let client = matching.client.withLock { $0 }
                for queue in queues { client?.backlogStored(queue) }
            },
            onRecovered: { [weak set] in set?.recovered(shard) }
        )
    }

    private func delivery(of shard: Shard) -> DebtDelivery {
        DebtDelivery(shard: shard) { [weak self] in
            var contacts = self?.debtContacts ?? DebtContacts()
            if contacts.client == nil { contacts.client = self }
            return contacts
        }
    }

    /// Commits what is queued, releases the shards, and ends the threads. Blocks until then.
    public func stop() { stop(then: {}) }

    func stop(then: @escaping @Sendable () -> Void) {
        state.withLock { $0.isStopping = true }
        runtime.endReplacements { [self] in current.withLock { $0 }.stop(then: then) }
    }

    /// Lets go of all that waits, and of Matching.
    func discard() {
        for shard in shards { shard.end() }
        matching.client.withLock { $0 = nil }
        contacts.withLock { $0 = DebtContacts() }
    }

    /// The slices of a set's shards have moved. The set is stopped, and the shards of the newest table take its place.
    func slicesMoved(_ old: ShardSet) {
        guard old.mayReplace() else { return }
        state.withLock { state in
            guard !state.isStopping else { return }
            runtime.run(ShardSetReplacement(of: old, in: self, random: environment.makeRandom()))
        }
    }

    /// The shard of a workflow. It changes when slices move.
    public func shard(of key: WorkflowKey) -> Int { Int(current.withLock { $0 }.slices.shard(of: key)) }

    func shard(_ key: WorkflowKey) -> Shard { current.withLock { $0 }.shard(of: key) }
}

// MARK: - Backlogs

extension HistoryService: BacklogStore {
    public func pageOut(_ task: MatchingTask) {
        let matching = self.matching
        shard(task.key).pageOut(task) {
            matching.client.withLock { $0 }?.backlogStored(task.queue)
        }
    }

    public func pageIn(_ queue: TaskQueueKey, limit: Int) {
        let matching = self.matching
        let shards = shards
        let progress = Progress(of: shards.count) { next in
            matching.client.withLock { $0 }?.backlogPaged(queue, next: next)
        }
        for shard in shards {
            shard.loads.add(.pageIn(queue, limit: max(1, limit / shards.count)) { progress.finish(one: $0) })
        }
    }

    /// Reports once every shard has answered or was dropped. Whoever reloads a dropped shard reports its backlog.
    private final class Progress: Sendable {
        private let state: Locked<(left: Int, next: TaskPlace?)>
        private let done: @Sendable (_ next: TaskPlace?) -> Void

        init(of count: Int, done: @escaping @Sendable (_ next: TaskPlace?) -> Void) {
            state = Locked((left: count, next: nil))
            self.done = done
        }

        func finish(one next: TaskPlace?) {
            let outcome = state.withLock { state in
                state.left -= 1
                if let next { state.next = min(next, state.next ?? next) }
                return state
            }
            if outcome.left == 0 { done(outcome.next) }
        }

        deinit {
            let (left, next) = state.withLock { $0 }
            if left > 0 { done(next) }
        }
    }
}

// MARK: - Requests

extension HistoryService {
    public func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>) {
        let key = WorkflowKey(namespace: namespace, workflowID: request.request.workflowID)
        shard(key).start(request, namespace: namespace, Caller(reply))
    }

    public func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>) {
        shard(workflow.key).signal(workflow, request, Caller(reply))
    }

    public func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>) {
        shard(workflow.key).cancel(workflow, request, Caller(reply))
    }

    public func resetStickyQueue(_ workflow: WorkflowReference, reply: Reply<Void>) {
        shard(workflow.key).resetStickyQueue(workflow, Caller(reply))
    }

    public func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {
        shard(workflow.key).terminate(workflow, request, Caller(reply))
    }

    public func reportChildEnd(_ parent: WorkflowReference, _ end: ChildEnd, reply: Reply<Void>) {
        shard(parent.key).reportChildEnd(parent, end, Caller(reply))
    }

    public func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting condition: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {
        shard(workflow.key).query(workflow, query, rejecting: condition, deadline: deadline, Caller(reply))
    }

    public func update(
        _ workflow: WorkflowReference,
        _ request: UpdateRequest,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        shard(workflow.key).update(workflow, request, waitingFor: stage, deadline: deadline, Caller(reply))
    }

    public func startAndUpdate(
        _ start: StartRequest,
        _ update: UpdateRequest,
        namespace: Int32,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<StartedUpdate>
    ) {
        let followed = FollowedUpdate(id: update.id, stage: stage, deadline: deadline)
        let request = UpdateWithStart(start: start, update: update, namespace: namespace, followed: followed)
        shard(request.key).startAndUpdate(request, Caller(reply))
    }

    public func pollUpdate(
        _ workflow: WorkflowReference,
        id: String,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        shard(workflow.key).pollUpdate(workflow, id: id, waitingFor: stage, deadline: deadline, Caller(reply))
    }

    public func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>) {
        shard(workflow.key).describe(workflow, Caller(reply))
    }

    public func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>) {
        shard(workflow.key).readHistory(workflow, request, Caller(reply))
    }

    public func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>) {
        shard(task.key).startWorkflowTask(task, for: poller, Caller(reply))
    }

    public func startActivityTask(
        _ task: MatchingTask,
        for poller: PollerIdentity,
        reply: Reply<AssignedActivityTask>
    ) {
        shard(task.key).startActivityTask(task, for: poller, Caller(reply))
    }

    public func abandonSticky(_ task: MatchingTask) {
        shard(task.key).abandonSticky(task)
    }

    public func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    ) {
        let namespace: NamespaceName?
        do throws(RequestError) {
            namespace = try self.namespace(for: request.commands, of: token.key)
        } catch {
            return reply.fail(error)
        }
        let completion = WorkflowTaskCompletedRequest(
            token: token,
            request: request,
            namespace: namespace,
            attributes: searchAttributes(for: request.commands, of: token.key)
        )
        shard(token.key).completeWorkflowTask(completion, Caller(reply))
    }

    public func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    ) {
        shard(token.key).failWorkflowTask(token, cause: cause, failure: failure, identity: identity, Caller(reply))
    }

    public func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        shard(token.key).completeActivity(token, result: result, identity: identity, Caller(reply))
    }

    public func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        shard(token.key).failActivity(
            token,
            failure: failure,
            lastHeartbeat: lastHeartbeat,
            identity: identity,
            Caller(reply)
        )
    }

    public func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        shard(token.key).cancelActivity(token, details: details, identity: identity, Caller(reply))
    }

    public func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<HeartbeatAnswer>) {
        shard(token.key).heartbeat(token, details: details, Caller(reply))
    }

    public func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        reply: Reply<HeartbeatAnswer>
    ) {
        shard(workflow.key).answerActivity(activityID, of: workflow, answer, identity: identity, Caller(reply))
    }

    public func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        reply: Reply<ActivityOptions?>
    ) {
        shard(workflow.key).operate(operation, on: activities, of: workflow, identity: identity, Caller(reply))
    }

    public func returnActivity(_ token: ActivityTaskToken) {
        shard(token.key).returnActivity(token)
    }

    public func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {
        shard(token.key).answerQuery(token, answer, reply: reply)
    }

    public func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>) {
        shard(command.key).submit(command, Caller(reply))
    }

    public func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>) {
        shard(source.letterKey).deadLetter(source, letter, Caller(reply))
    }
}
