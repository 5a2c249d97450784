public import SagamorePersistence

/// What a session asks of the database: one statement, or the transaction of a commit.
public struct DatabaseOperation: Sendable {
    /// Which store asks.
    public enum Role: Sendable, Hashable, CaseIterable {
        /// A lane's store.
        case lane
        /// A loader's store.
        case loader
        /// A publisher's store.
        case publisher
    }

    /// The method of the store.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// A new session.
        case connect
        /// `LaneStore.commit`
        case commit
        /// `LaneStore.takeShard`
        case takeShard
        /// `LaneStore.retakeShard`
        case retakeShard
        /// `LaneStore.standing`
        case laneStanding
        /// `LaneStore.epoch`
        case epoch
        /// `LaneStore.renewLease`
        case renewLease
        /// `LaneStore.releaseShard`
        case releaseShard
        /// `LaneStore.isCommitted(runID:sequence:)`
        case isJournalRowCommitted
        /// `LaneStore.isCommitted(_:)`
        case isInboxRowCommitted
        /// `LoaderStore.sliceTable`
        case sliceTable
        /// `LoaderStore.lookUp`
        case lookUp
        /// `LoaderStore.loadJournals`
        case loadJournals
        /// `LoaderStore.journalContains`
        case journalContains
        /// `LoaderStore.historyContains`
        case historyContains
        /// `LoaderStore.loadHeartbeats`
        case loadHeartbeats
        /// `LoaderStore.retentions`
        case retentions
        /// `LoaderStore.deleteRuns`
        case deleteRuns
        /// `LoaderStore.eraseDeletedRuns`
        case eraseDeletedRuns
        /// `LoaderStore.deleteTraces`
        case deleteTraces
        /// `LoaderStore.loadRuns`
        case loadRuns
        /// `LoaderStore.resetRun`
        case resetRun
        /// `LoaderStore.activeRuns`
        case activeRuns
        /// `LoaderStore.parkedRuns`
        case parkedRuns
        /// `LoaderStore.waitingTasks`
        case waitingTasks
        /// `LoaderStore.waitingQueues`
        case waitingQueues
        /// `LoaderStore.readHistory`
        case readHistory
        /// `OutboxStore.standing`
        case publisherStanding
        /// `OutboxStore.read`
        case readOutbox
        /// `OutboxStore.waits`
        case waits
        /// `OutboxStore.positions`
        case positions
        /// `OutboxStore.record`
        case recordPositions
        /// `OutboxStore.delete`
        case deleteRecords
        /// `OutboxStore.insertDeadEvent`
        case insertDeadEvent

        /// Whether it is known to write nothing, so that a lost connection leaves no doubt about it.
        public var readsOnly: Bool {
            switch self {
            case .connect, .laneStanding, .epoch, .sliceTable, .lookUp, .loadJournals, .journalContains,
                .historyContains, .loadHeartbeats, .retentions, .loadRuns, .resetRun, .activeRuns, .parkedRuns,
                .waitingTasks, .waitingQueues, .readHistory, .publisherStanding, .readOutbox, .positions:
                true
            // The store does not say of the statements behind `isCommitted` that they only read.
            case .commit, .takeShard, .retakeShard, .renewLease, .releaseShard, .isJournalRowCommitted,
                .isInboxRowCommitted, .deleteRuns, .eraseDeletedRuns, .deleteTraces, .waits, .recordPositions,
                .deleteRecords,
                .insertDeadEvent:
                false
            }
        }

        /// Whether it locks the shard's row, and waits for another transaction that has locked it.
        public var locksShard: Bool {
            switch self {
            case .commit, .takeShard, .retakeShard, .renewLease, .releaseShard: true
            default: false
            }
        }
    }

    /// The method of the store.
    public let kind: Kind
    /// Which store asks.
    public let role: Role
    /// The name that was given for the session: who asks.
    public let client: String
    /// The shard that is asked about; nil where none is.
    public let shard: Int32?
    /// What is committed, and by which owner; nil for other kinds.
    public let commit: (batch: CommitBatch, fence: ShardFence)?

    init(
        _ kind: Kind,
        _ session: Session,
        shard: Int32? = nil,
        commit: (batch: CommitBatch, fence: ShardFence)? = nil
    ) {
        self.kind = kind
        self.shard = shard
        self.commit = commit
        role = session.role
        client = session.client
    }
}

extension CommitBatch {
    /// The number of rows that the batch inserts, updates and deletes.
    public var rowCount: Int {
        let runs = newRuns.count + closedRuns.count + alarms.count + journal.count + snapshots.count
        let rest = inbox.count + outbox.count + heartbeats.count + endedHeartbeats.count
        return runs + rest + backlog.count + endedBacklogs.count + deletions.count + resets.count
    }
}

/// The session of a store.
final class Session {
    let role: DatabaseOperation.Role
    let client: String
    /// The database's `generation` when the session began; nil once it has ended.
    var generation: Int?

    init(_ role: DatabaseOperation.Role, _ client: String) {
        self.role = role
        self.client = client
    }
}
