public import SagamoreEngine
public import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServices

/// A lane's session with a simulated database.
public final class SimulatedLaneStore: LaneStore {
    private let database: SimulatedDatabase
    private let session: Session

    init(_ database: SimulatedDatabase, _ session: Session) {
        self.database = database
        self.session = session
    }

    public func commit(_ batch: CommitBatch, fence: ShardFence) throws(CommitError) {
        try database.perform(.commit, session, shard: fence.shard, commit: (batch, fence)) { () throws(CommitError) in
            try database.commit(batch, fence)
        }
    }

    public func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard? {
        try database.perform(.takeShard, session, shard: shard) { () throws(CommitError) in
            try CommitError.refuseNul(owner.node, owner.process)
            let level = database.tables.formatLevel
            let isReadable = level <= database.knownFormatLevel
            if isReadable, var row = database.tables.shard(shard), owner.sliceVersion == database.tables.sliceVersion {
                let now = database.now()
                let isFree = row.owner.isEmpty || row.leaseUntil + ShardLease.grace < now
                if isFree || row.node.hasSameBytes(as: owner.node) {
                    row.node = owner.node
                    row.owner = owner.process
                    if row.outboxSequence != row.outboxStart { row.outboxFound = row.outboxSequence }
                    if owner.leavesNumbersOut {
                        row.outboxSequence = max(now.nanoseconds / 1_000, row.outboxSequence + 1_000_000)
                    }
                    row.outboxStart = row.outboxSequence
                    return try take(shard, row, now)
                }
            }
            guard isReadable else {
                let message = """
                    this program is too old: the database has format level \(level), and this program reads level \
                    \(database.knownFormatLevel); use a newer sagamore
                    """
                throw .permanent(PostgresError(.usage, message))
            }
            return nil
        }
    }

    public func retakeShard(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> TakenShard? {
        try database.perform(.retakeShard, session, shard: shard) { () throws(CommitError) in
            try CommitError.refuseNul(owner.process)
            guard let row = database.tables.shard(shard), row.owner.hasSameBytes(as: owner.process),
                row.epoch >= epoch, owner.sliceVersion == database.tables.sliceVersion
            else { return nil }
            return try take(shard, row, database.now())
        }
    }

    private func take(_ shard: Int32, _ row: ShardRow, _ now: Instant) throws(CommitError) -> TakenShard {
        var row = row
        row.epoch += 1
        row.leaseUntil = now + ShardLease.length
        try update(shard, row)
        return TakenShard(
            epoch: row.epoch,
            outboxSequence: row.outboxSequence,
            commitCount: row.commitCount,
            formatLevel: database.tables.formatLevel
        )
    }

    private func update(_ shard: Int32, _ row: ShardRow) throws(CommitError) {
        try database.transaction { () throws(CommitError) in database.write(.shard(shard, row)) }
    }

    public func standing(of shard: Int32) throws(CommitError) -> ShardOwner? {
        try database.perform(.laneStanding, session, shard: shard) { () throws(CommitError) in
            guard let row = database.tables.shard(shard) else { return nil }
            return ShardOwner(node: row.node, process: row.owner, sliceVersion: database.tables.sliceVersion)
        }
    }

    public func epoch(of shard: Int32) throws(CommitError) -> Int64 {
        try database.perform(.epoch, session, shard: shard) { () throws(CommitError) in
            database.tables.shard(shard)?.epoch ?? 0
        }
    }

    public func renewLease(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> Bool {
        try database.perform(.renewLease, session, shard: shard) { () throws(CommitError) in
            try CommitError.refuseNul(owner.process)
            guard var row = database.tables.shard(shard), row.epoch == epoch,
                row.owner.hasSameBytes(as: owner.process)
            else { return false }
            row.leaseUntil = database.now() + ShardLease.length
            try update(shard, row)
            return true
        }
    }

    public func releaseShard(_ shard: Int32, epoch: Int64) throws(CommitError) {
        try database.perform(.releaseShard, session, shard: shard) { () throws(CommitError) in
            guard var row = database.tables.shard(shard), row.epoch == epoch else { return }
            row.owner = ""
            row.leaseUntil = .distantPast
            try update(shard, row)
        }
    }

    public func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool {
        try database.perform(.isJournalRowCommitted, session) { () throws(CommitError) in
            database.tables.journalRow(runID, sequence) != nil
        }
    }

    public func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool {
        try database.perform(.isInboxRowCommitted, session) { () throws(CommitError) in
            try CommitError.refuseNul(row.key.workflowID, row.commandID, row.source.topic)
            guard let found = database.tables.inbox[LookUp(key: row.key, commandID: row.commandID)] else {
                return false
            }
            let source = found.row.source
            return source.topic.hasSameBytes(as: row.source.topic) && source.partition == row.source.partition
                && source.offset == row.source.offset
        }
    }

    public func reconnect() throws(CommitError) {
        do throws(PostgresError) { try database.connect(session) } catch { throw CommitError(error) }
    }
}
