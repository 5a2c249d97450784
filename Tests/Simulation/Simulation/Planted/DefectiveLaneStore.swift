internal import SagamoreEngine
internal import SagamorePersistence

/// A lane's store with a planted defect.
final class DefectiveLaneStore: ReachedLaneStore {
    private let defect: PlantedDefect
    /// What was answered and is not committed.
    private var held: (batch: CommitBatch, fence: ShardFence)?

    init(_ store: any LaneStore, _ life: ServerLife, _ stores: ServerStores, _ defect: PlantedDefect) {
        self.defect = defect
        super.init(store, life, stores)
    }

    override func commit(_ batch: CommitBatch, fence: ShardFence) throws(CommitError) {
        guard defect == .effectBeforeCommit else { return try super.commit(batch, fence: fence) }
        if let held {
            self.held = nil
            try super.commit(held.batch, fence: held.fence)
        }
        held = (batch, fence)
    }

    override func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool {
        if let assumed { return assumed }
        return try super.isCommitted(runID: runID, sequence: sequence)
    }

    override func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool {
        if let assumed { return assumed }
        return try super.isCommitted(row)
    }

    /// What is taken for the outcome of a commit without asking; nil to ask.
    private var assumed: Bool? {
        switch defect {
        case .unheardCommitTakenForDone: true
        case .unheardCommitRepeated: false
        default: nil
        }
    }

    override func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard? {
        var owner = owner
        if defect == .lostNumbersUsedAgain {
            owner = ShardOwner(node: owner.node, process: owner.process, sliceVersion: owner.sliceVersion)
        }
        var taken = try super.takeShard(shard, as: owner)
        if defect == .outboxNumberUsedTwice, let sequence = taken?.outboxSequence, sequence > 0 {
            taken?.outboxSequence = sequence - 1
        }
        return taken
    }
}
