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

/// Owns executions: finds the shard of each request, decides, commits, and tells.
public final class HistoryService: HistoryClient {
    let shards: [Shard]
    private let owner: ShardOwner
    private let makeLaneStore: @Sendable (Int32) throws -> any LaneStore
    private let makeLoaderStore: @Sendable () throws -> any LoaderStore
    private let matching: MatchingBox
    private let state = Locked(State())

    /// What others set before `start`, and the threads.
    private struct State {
        var onOutboxGrowth: @Sendable (Int32) -> Void = { _ in }
        var onShardLost: @Sendable (Int32, ShardLoss) -> Void = { _, _ in }
        var lanes: [SystemThread] = []
        var others: [SystemThread] = []
        var timers: [ShardTimer] = []
        var recovered: Set<Int32> = []
    }

    private final class MatchingBox: Sendable {
        let client = Locked<(any MatchingClient & BacklogListener)?>(nil)
    }

    /// - Parameters:
    ///   - process: names this process among those of the same node.
    ///   - makeLaneStore: makes a shard's lane its connection; called on the lane's thread, again after a failure.
    public init(
        configuration: HistoryConfiguration,
        process: String,
        makeLaneStore: @escaping @Sendable (Int32) throws -> any LaneStore,
        makeLoaderStore: @escaping @Sendable () throws -> any LoaderStore,
        encoder: any StatusEventEncoder,
        clock: @escaping @Sendable () -> Instant,
        log: Logger
    ) {
        let matching = MatchingBox()
        self.matching = matching
        self.makeLaneStore = makeLaneStore
        self.makeLoaderStore = makeLoaderStore
        owner = ShardOwner(node: configuration.node, process: process)
        shards = (0..<Int32(configuration.shardCount)).map { id in
            Shard(
                id: id,
                configuration: configuration,
                clock: clock,
                encoder: encoder,
                matching: { matching.client.withLock { $0 } },
                log: log
            )
        }
    }

    /// Says who takes the tasks. Before `start`.
    public func connect(matching client: any MatchingClient & BacklogListener) {
        matching.client.withLock { $0 = client }
    }

    /// Called from a lane's thread after each commit with outbox records.
    public func onOutboxGrowth(_ handler: @escaping @Sendable (Int32) -> Void) {
        state.withLock { $0.onOutboxGrowth = handler }
    }

    /// Called when a shard is lost: what is in memory of it is not served any more, and it has to be loaded anew.
    public func onShardLost(_ handler: @escaping @Sendable (Int32, ShardLoss) -> Void) {
        state.withLock { $0.onShardLost = handler }
    }

    /// Whether every shard is owned, and its runs are back.
    public var isReady: Bool { state.withLock { $0.recovered.count == shards.count } }

    /// Takes the shards and recovers their runs, on threads of their own.
    public func start() {
        for shard in shards { start(shard) }
    }

    private func start(_ shard: Shard) {
        let (onOutboxGrowth, onLost) = state.withLock { ($0.onOutboxGrowth, $0.onShardLost) }
        let makeLaneStore = self.makeLaneStore
        let lane = CommitLane(
            shard: shard,
            owner: owner,
            makeStore: { try makeLaneStore(shard.id) },
            onTaken: { shard.loads.add(.recover(after: nil, count: 0)) },
            onOutboxGrowth: onOutboxGrowth,
            onLost: onLost
        )
        let matching = self.matching
        let loader = Loader(
            shard: shard,
            makeStore: makeLoaderStore,
            onWaitingQueues: { queues in
                let client = matching.client.withLock { $0 }
                for queue in queues { client?.backlogStored(queue) }
            },
            onRecovered: { [weak self] in self?.state.withLock { _ = $0.recovered.insert(shard.id) } }
        )
        let timer = ShardTimer(shard: shard)
        let laneThread = SystemThread.required("lane-\(shard.id)") { lane.run() }
        let others = [
            SystemThread.required("loader-\(shard.id)") { loader.run() },
            SystemThread.required("timer-\(shard.id)") { timer.run() },
        ]
        state.withLock {
            $0.lanes.append(laneThread)
            $0.others += others
            $0.timers.append(timer)
        }
    }

    /// Commits what is queued, gives the shards back, and ends the threads. Blocks.
    public func stop() {
        let threads = state.withLock { state in
            let threads = (state.lanes, state.others, state.timers)
            state.lanes = []
            state.others = []
            state.timers = []
            return threads
        }
        for timer in threads.2 { timer.stop() }
        for shard in shards { shard.lane.stop() }
        for thread in threads.0 { thread.join() }
        for shard in shards {
            // Again, for a lane that never owned its shard.
            shard.perform { shard.drop(.stopped) }
            for item in shard.lane.close() { item.refuse?(.stopped) }
            shard.loads.stop()
        }
        for thread in threads.1 { thread.join() }
    }

    /// A shard never changes for a workflow id: FNV-1a over namespace and id.
    public static func shard(of key: WorkflowKey, count: Int) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        withUnsafeBytes(of: key.namespace.littleEndian) { for byte in $0 { add(byte) } }
        for byte in key.workflowID.utf8 { add(byte) }
        // The low bits of this hash alone are weak.
        return Int((hash ^ hash >> 32) % UInt64(count))
    }

    private func shard(_ key: WorkflowKey) -> Shard {
        shards.count == 1 ? shards[0] : shards[Self.shard(of: key, count: shards.count)]
    }
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
        let count = shards.count
        let progress = Progress()
        for shard in shards {
            shard.loads.add(
                .pageIn(queue, limit: max(1, limit / count)) { isMoreWaiting in
                    let outcome = progress.finish(one: isMoreWaiting)
                    guard outcome.done == count else { return }
                    matching.client.withLock { $0 }?.backlogPaged(queue, isMoreWaiting: outcome.isMoreWaiting)
                }
            )
        }
    }

    /// Counts the shards that have answered.
    private final class Progress: Sendable {
        private let state = Locked((done: 0, isMoreWaiting: false))

        func finish(one isMoreWaiting: Bool) -> (done: Int, isMoreWaiting: Bool) {
            state.withLock { state in
                state.done += 1
                state.isMoreWaiting = state.isMoreWaiting || isMoreWaiting
                return state
            }
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

    public func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {
        shard(workflow.key).terminate(workflow, request, Caller(reply))
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
        shard(token.key).completeWorkflowTask(token, request, Caller(reply))
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

    public func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<Bool>) {
        shard(token.key).heartbeat(token, details: details, Caller(reply))
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
