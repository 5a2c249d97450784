internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The shards of one version of the table of slices, with their threads. It starts once and stops once: when slices
/// move, another set takes its place, and whoever still has this one is refused as retryable.
final class ShardSet: Sendable {
    let slices: SliceTable
    let shards: [Shard]
    private let state = Locked(State())

    private struct State {
        var lanes: [SystemThread] = []
        var others: [SystemThread] = []
        var timers: [ShardTimer] = []
        var recovered: Set<Int32> = []
        var isReplaced = false
    }

    init(_ slices: SliceTable, makeShard: (Int32) -> Shard) {
        self.slices = slices
        shards = (0..<Int32(slices.shardCount)).map(makeShard)
    }

    func shard(of key: WorkflowKey) -> Shard { shards[Int(slices.shard(of: key))] }

    /// Whether every shard is owned, and its runs are back.
    var isReady: Bool { state.withLock { $0.recovered.count == shards.count } }

    func recovered(_ shard: Shard) { state.withLock { _ = $0.recovered.insert(shard.id) } }

    /// Whether this is the first to ask: a set is replaced once.
    func mayReplace() -> Bool {
        state.withLock { state in
            defer { state.isReplaced = true }
            return !state.isReplaced
        }
    }

    func start(_ lane: CommitLane, _ loader: Loader) {
        let shard = lane.shard
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
    ///
    /// - Parameter keepsShards: they are not given back, since this process is to take them again.
    func stop(keepsShards: Bool = false) {
        let threads = state.withLock { state in
            let threads = (state.lanes, state.others, state.timers)
            state.lanes = []
            state.others = []
            state.timers = []
            return threads
        }
        for timer in threads.2 { timer.stop() }
        for shard in shards { shard.lane.stop(keepsShard: keepsShards) }
        for thread in threads.0 { thread.join() }
        for shard in shards {
            // Again, for a lane that never owned its shard.
            shard.perform { shard.drop(.stopped) }
            for item in shard.lane.close() { item.refuse?(.stopped) }
            shard.loads.stop()
        }
        for thread in threads.1 { thread.join() }
    }
}
