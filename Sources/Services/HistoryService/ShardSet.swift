internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The shards of one version of the table of slices, with their threads. A set starts once and stops once. When slices
/// move, another set replaces it, and requests that still reach the old set get a retryable error.
final class ShardSet: Sendable {
    let slices: SliceTable
    let shards: [Shard]
    /// Run the turns of the shards' timers and loaders. A member's number is the index of its shard in `shards`.
    private let timerTurns: TurnPool
    private let loaderTurns: TurnPool
    private let state = Locked(State())

    /// The most threads that read from PostgreSQL, each with a connection. More would not help.
    private static let loaderThreadLimit = 4

    private struct State {
        var lanes: [SystemThread] = []
        var others: [SystemThread] = []
        var loaders: [Loader] = []
        var recovered: Set<Int32> = []
        var isReplaced = false
    }

    init(_ slices: SliceTable, makeShard: (Int32) -> Shard) {
        self.slices = slices
        shards = (0..<Int32(slices.shardCount)).map(makeShard)
        timerTurns = TurnPool(memberCount: shards.count)
        loaderTurns = TurnPool(memberCount: shards.count)
    }

    func shard(of key: WorkflowKey) -> Shard { shards[Int(slices.shard(of: key))] }

    /// Whether every shard is owned and its runs are loaded.
    var isReady: Bool { state.withLock { $0.recovered.count == shards.count } }

    func recovered(_ shard: Shard) { state.withLock { _ = $0.recovered.insert(shard.id) } }

    /// Whether the caller is the first to ask. A set is replaced only once.
    func mayReplace() -> Bool {
        state.withLock { state in
            defer { state.isReplaced = true }
            return !state.isReplaced
        }
    }

    /// Starts the threads.
    ///
    /// - Parameter parts: the lane and loader of each shard, in the order of `shards`.
    func start(
        _ parts: [(lane: CommitLane, loader: Loader)],
        makeLoaderStore: @escaping @Sendable () throws -> any LoaderStore,
        log: Logger
    ) {
        for (place, shard) in shards.enumerated() {
            shard.loads.connect { [loaderTurns] in loaderTurns.ring(place) }
            shard.bell.connect { [timerTurns] in timerTurns.ring(place) }
        }
        let timers = shards.map { ShardTimer(shard: $0) }
        let loaders = parts.map(\.loader)
        var others = [
            SystemThread.required("timer") { [timerTurns] in timerTurns.run { timers[$0].turn() } }
        ]
        for number in 0..<min(shards.count, Self.loaderThreadLimit) {
            others.append(
                SystemThread.required("loader-\(number)") { [loaderTurns] in
                    let connection = LoaderConnection(makeStore: makeLoaderStore, log: log)
                    loaderTurns.run { loaders[$0].turn(connection) }
                }
            )
        }
        let lanes = parts.map { part in
            SystemThread.required("lane-\(part.lane.shard.id)") { part.lane.run() }
        }
        state.withLock { [others] in
            $0.lanes = lanes
            $0.others = others
            $0.loaders = loaders
        }
    }

    /// Commits what is queued, releases the shards, and ends the threads. Blocks.
    ///
    /// - Parameter keepsShards: the shards are not released, since this process takes them again.
    func stop(keepsShards: Bool = false) {
        let (lanes, others, loaders) = state.withLock { state in
            let threads = (state.lanes, state.others, state.loaders)
            state.lanes = []
            state.others = []
            state.loaders = []
            return threads
        }
        timerTurns.stop()
        for shard in shards { shard.lane.stop(keepsShard: keepsShards) }
        for thread in lanes { thread.join() }
        for shard in shards {
            // Needed for a lane that never owned its shard.
            shard.perform { shard.drop(.stopped) }
            shard.loads.stop()
        }
        loaderTurns.stop()
        for thread in others { thread.join() }
        for loader in loaders { loader.end() }
    }
}
