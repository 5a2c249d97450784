internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence

/// All that has to be stepped so that a set of shards works, in the order of the shards: each has a lane, a loader, a
/// timer, and a delivery.
struct ShardMembers: Sendable {
    let lanes: [CommitLane]
    let loaders: [Loader]
    let timers: [ShardTimer]
    let deliveries: [DebtDelivery]
    let makeLoaderStore: @Sendable () throws -> any LoaderStore
    let steadyClock: @Sendable () -> Instant
    let log: Logger

    var shards: [Shard] { lanes.map(\.shard) }
}

/// Steps what a history service consists of: on threads, or in a simulation.
protocol HistoryRuntime: Sendable {
    /// Begins to step the members of a set.
    func run(_ members: ShardMembers) -> any RunningMembers
    /// Steps the replacement of a set of shards until it ends.
    func run(_ replacement: ShardSetReplacement)
    /// Waits for the end of all replacements, which see that the service stops; then calls `then`.
    func endReplacements(then: @escaping @Sendable () -> Void)
}

/// Members that are being stepped.
protocol RunningMembers: Sendable {
    /// Commits what is queued, releases the shards, and ends the steps. Blocks where members have threads.
    ///
    /// - Parameters:
    ///   - keepsShards: the shards are not released, since this process takes them again.
    ///   - then: called when all has ended.
    func stop(keepsShards: Bool, then: @escaping @Sendable () -> Void)
}

extension Shard {
    /// The end of a stop: nothing waits for the lane or the loader any more.
    func end() {
        // Needed for a lane that never owned its shard.
        perform { drop(.stopped) }
        loads.stop()
    }
}
