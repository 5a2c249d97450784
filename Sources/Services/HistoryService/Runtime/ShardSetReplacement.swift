internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreThreads

/// Puts the shards of the newest table of slices in the place of a set whose slices have moved, step by step. Another
/// thread than those of the set steps it: they are ended.
///
/// Unchecked: used by the one that steps it alone; what is asked by others is in the service, under its locks.
final class ShardSetReplacement: @unchecked Sendable {
    private let old: ShardSet
    private let service: HistoryService
    private var random: RandomSource
    private var backoff = Backoff(first: .milliseconds(50), longest: .seconds(2))

    init(of old: ShardSet, in service: HistoryService, random: RandomSource) {
        self.old = old
        self.service = service
        self.random = random
    }

    /// The service stops, and the replacement will end at its next step.
    var isCancelled: Bool { service.state.withLock { $0.isStopping } }

    /// Stops the old set. The first step may follow when `then` is called.
    func begin(then: @escaping @Sendable () -> Void) {
        service.log.info(
            "slices have moved, reloading all shards",
            metadata: ["version": "\(old.slices.version)"]
        )
        old.stop(keepsShards: true, then: then)
    }

    /// Reads the table, and starts the shards of the new one. Returns how long to wait for a database that is away; nil
    /// at the end.
    func step() -> Interval? {
        guard !isCancelled else { return nil }
        do {
            let slices = try service.makeLoaderStore().sliceTable()
            service.replace(by: slices)
            return nil
        } catch {
            service.log.warning("cannot read the table of slices, retrying", metadata: ["error": "\(error)"])
            return Interval(nanoseconds: Int64(backoff.next(using: &random) / .nanoseconds(1)))
        }
    }
}

extension HistoryService {
    /// Starts the shards of another table, unless the service stops.
    fileprivate func replace(by slices: SliceTable) {
        let new = ShardSet(slices, makeShard: makeShard)
        let onSlicesMoved = state.withLock { state -> (@Sendable (Int) -> Void)? in
            guard !state.isStopping else { return nil }
            current.withLock { $0 = new }
            return state.onSlicesMoved
        }
        guard let onSlicesMoved else { return }
        onSlicesMoved(slices.shardCount)
        start(new)
        log.info(
            "all shards reloaded after slices moved",
            metadata: ["version": "\(slices.version)", "shards": "\(slices.usedShardCount)"]
        )
    }
}
