internal import SagamoreEngine
internal import SagamorePersistence

/// A lane's store with a planted defect.
final class DefectiveLaneStore: LaneStore {
    private let store: any LaneStore
    private let defect: PlantedDefect
    /// What was answered and is not committed.
    private var held: (batch: CommitBatch, fence: ShardFence)?

    init(_ store: any LaneStore, _ defect: PlantedDefect) {
        self.store = store
        self.defect = defect
    }

    func commit(_ batch: CommitBatch, fence: ShardFence) throws(CommitError) {
        guard defect == .effectBeforeCommit else { return try store.commit(batch, fence: fence) }
        if let held {
            self.held = nil
            try store.commit(held.batch, fence: held.fence)
        }
        held = (batch, fence)
    }

    func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool {
        switch defect {
        case .unheardCommitTakenForDone: true
        case .unheardCommitRepeated: false
        default: try store.isCommitted(runID: runID, sequence: sequence)
        }
    }

    func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool {
        switch defect {
        case .unheardCommitTakenForDone: true
        case .unheardCommitRepeated: false
        default: try store.isCommitted(row)
        }
    }

    func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard? {
        var taken = try store.takeShard(shard, as: owner)
        if defect == .outboxNumberUsedTwice, let sequence = taken?.outboxSequence, sequence > 0 {
            taken?.outboxSequence = sequence - 1
        }
        return taken
    }

    func retakeShard(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> TakenShard? {
        try store.retakeShard(shard, as: owner, epoch: epoch)
    }

    func standing(of shard: Int32) throws(CommitError) -> ShardOwner? { try store.standing(of: shard) }

    func epoch(of shard: Int32) throws(CommitError) -> Int64 { try store.epoch(of: shard) }

    func raiseOutbox(_ shard: Int32, to sequence: Int64) throws(CommitError) {
        try store.raiseOutbox(shard, to: sequence)
    }

    func renewLease(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> Bool {
        try store.renewLease(shard, as: owner, epoch: epoch)
    }

    func releaseShard(_ shard: Int32, epoch: Int64) throws(CommitError) {
        try store.releaseShard(shard, epoch: epoch)
    }

    func reconnect() throws(CommitError) { try store.reconnect() }
}
