internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The shards of one version of the table of slices, and what steps them. A set starts once and stops once. When slices
/// move, another set replaces it, and requests that still reach the old set get a retryable error.
final class ShardSet: Sendable {
    let slices: SliceTable
    let shards: [Shard]
    private let state = Locked(State())

    private struct State {
        var running: (any RunningMembers)?
        var recovered: Set<Int32> = []
        var isReplaced = false
    }

    init(_ slices: SliceTable, makeShard: (Int32) -> Shard) {
        self.slices = slices
        shards = (0..<Int32(slices.shardCount)).map(makeShard)
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

    func start(_ members: ShardMembers, on runtime: any HistoryRuntime) {
        // Members that run already wait for the lock.
        state.withLock { $0.running = runtime.run(members) }
    }

    /// Commits what is queued, releases the shards, and ends the steps. Blocks where members have threads.
    ///
    /// - Parameters:
    ///   - keepsShards: the shards are not released, since this process takes them again.
    ///   - then: called when all has ended.
    func stop(keepsShards: Bool = false, then: @escaping @Sendable () -> Void = {}) {
        let running = state.withLock { state in
            defer { state.running = nil }
            return state.running
        }
        if let running { return running.stop(keepsShards: keepsShards, then: then) }
        for shard in shards { shard.end() }
        then()
    }
}
