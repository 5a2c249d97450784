internal import SagamoreEngine
internal import SagamorePersistence

/// The store of a lane in one life of a server. Nothing is done for a process that was killed.
class ReachedLaneStore: LaneStore {
    private let store: any LaneStore
    private let life: ServerLife
    private let stores: ServerStores

    init(_ store: any LaneStore, _ life: ServerLife, _ stores: ServerStores) {
        self.store = store
        self.life = life
        self.stores = stores
    }

    func commit(_ batch: CommitBatch, fence: ShardFence) throws(CommitError) {
        try life.call(
            isLane: true,
            lockedUntil: { stores.lockedUntil(fence.shard) }
        ) { () throws(CommitError) in try store.commit(batch, fence: fence) }
    }

    func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard? {
        try life.call(
            lockedUntil: { stores.lockedUntil(shard) }
        ) { () throws(CommitError) in try store.takeShard(shard, as: owner) }
    }

    func retakeShard(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> TakenShard? {
        try life.call(
            lockedUntil: { stores.lockedUntil(shard) }
        ) { () throws(CommitError) in try store.retakeShard(shard, as: owner, epoch: epoch) }
    }

    func standing(of shard: Int32) throws(CommitError) -> ShardOwner? {
        try life.call { () throws(CommitError) in try store.standing(of: shard) }
    }

    func epoch(of shard: Int32) throws(CommitError) -> Int64 {
        try life.call { () throws(CommitError) in try store.epoch(of: shard) }
    }

    func renewLease(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> Bool {
        try life.call(
            lockedUntil: { stores.lockedUntil(shard) }
        ) { () throws(CommitError) in try store.renewLease(shard, as: owner, epoch: epoch) }
    }

    func releaseShard(_ shard: Int32, epoch: Int64) throws(CommitError) {
        try life.call(
            lockedUntil: { stores.lockedUntil(shard) }
        ) { () throws(CommitError) in try store.releaseShard(shard, epoch: epoch) }
    }

    func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool {
        try life.call { () throws(CommitError) in try store.isCommitted(runID: runID, sequence: sequence) }
    }

    func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool {
        try life.call { () throws(CommitError) in try store.isCommitted(row) }
    }

    func reconnect() throws(CommitError) {
        try life.call { () throws(CommitError) in try store.reconnect() }
    }
}
