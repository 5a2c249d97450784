internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreThreads

extension HistoryService {
    /// The slices of a set's shards have moved. The set is stopped, and the shards of the newest table take its place,
    /// on a thread of its own: the lane that calls this is one of those that are ended.
    func slicesMoved(_ old: ShardSet) {
        guard old.mayReplace() else { return }
        state.withLock { state in
            guard !state.isStopping else { return }
            state.replacements.append(SystemThread.required("slices") { [self] in replace(old) })
        }
    }

    private func replace(_ old: ShardSet) {
        log.info("slices have moved, reloading all shards", metadata: ["version": "\(old.slices.version)"])
        old.stop(keepsShards: true)
        guard let slices = readSlices() else { return }
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

    /// Waits for a database that is away; nil when the service stops.
    private func readSlices() -> SliceTable? {
        var backoff = Backoff(first: .milliseconds(50), longest: .seconds(2))
        while !state.withLock({ $0.isStopping }) {
            do {
                return try makeLoaderStore().sliceTable()
            } catch {
                log.warning("cannot read the table of slices, retrying", metadata: ["error": "\(error)"])
            }
            let end = ContinuousClock.now + backoff.next()
            while .now < end, !state.withLock({ $0.isStopping }) { SystemThread.sleep(.milliseconds(20)) }
        }
        return nil
    }
}
