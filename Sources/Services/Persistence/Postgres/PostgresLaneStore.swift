public import SagamoreEngine
public import SagamorePostgresClient
internal import SagamoreServices

/// The lane's side of PostgreSQL: one connection, one transaction at a time.
public final class PostgresLaneStore: LaneStore {
    private let connection: PostgresConnection
    private let onMissingRows: (String) -> Void

    /// A store that owns the connection.
    ///
    /// - Parameter onMissingRows: called after a commit that found fewer rows than it updates or deletes, with a text
    ///   for the log. By default the process ends: it is a broken invariant unless something else changed the database.
    public init(_ connection: PostgresConnection, onMissingRows: @escaping (String) -> Void = { fatalError($0) }) {
        self.connection = connection
        self.onMissingRows = onMissingRows
    }

    public func commit(_ batch: CommitBatch, fence: ShardFence) throws(CommitError) {
        var statements = PostgresBatch()
        let shard = PostgresValue.int32(fence.shard)
        statements.append(
            LaneStatements.fence,
            [shard, .int64(fence.epoch), .int64(Int64(batch.outbox.count))]
        )
        // Updates precede inserts, so that two lanes never deadlock.
        LaneStatements.append(closings: batch.closedRuns, to: &statements)
        // Before the insert of alarms: their unique index would refuse the same starts without naming the cause.
        LaneStatements.append(assumedNew: batch.assumedNew, to: &statements)
        LaneStatements.append(
            alarmChanges: batch.alarms,
            newRuns: batch.newRuns,
            to: &statements
        )
        LaneStatements.append(endedHeartbeats: batch.endedHeartbeats, to: &statements)
        LaneStatements.append(heartbeats: batch.heartbeats, to: &statements)
        LaneStatements.append(runs: batch.newRuns, to: &statements)
        LaneStatements.append(listingChanges: batch.listingChanges, to: &statements)
        LaneStatements.append(backlog: batch.backlog, ended: batch.endedBacklogs, to: &statements)
        LaneStatements.append(resets: batch.resets, to: &statements)
        LaneStatements.append(journal: batch.journal, to: &statements)
        LaneStatements.append(snapshots: batch.snapshots, to: &statements)
        LaneStatements.append(deletions: batch.deletions, to: &statements)
        LaneStatements.append(inbox: batch.inbox, to: &statements)
        LaneStatements.append(outbox: batch.outbox, shard: shard, after: fence.outboxSequence, to: &statements)
        let results = try run { () throws(PostgresError) in try connection.transaction(statements) }
        for missing in MissingRows.find(in: statements, results) { onMissingRows("\(missing)") }
    }

    public func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard? {
        let known = Migrations.formatLevel
        let values: [PostgresValue] = [
            .int32(shard), .text(owner.node), .text(owner.process), .int64(owner.sliceVersion), .int32(known),
            .bool(owner.leavesNumbersOut),
        ]
        if let taken = try taken(LaneStatements.take, values) { return taken }
        let level = try run { () throws(PostgresError) in try connection.query(LaneStatements.formatLevel).int32(0, 0) }
        guard level <= known else { throw .permanent(Migrator.tooOld(formatLevel: level)) }
        return nil
    }

    public func retakeShard(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> TakenShard? {
        let values: [PostgresValue] = [
            .int32(shard), .text(owner.process), .int64(epoch), .int64(owner.sliceVersion),
        ]
        return try taken(LaneStatements.retake, values)
    }

    public func standing(of shard: Int32) throws(CommitError) -> ShardOwner? {
        let rows = try run { () throws(PostgresError) in
            try connection.query(LaneStatements.standing, [.int32(shard)])
        }
        guard rows.rowCount == 1 else { return nil }
        return ShardOwner(node: rows.text(0, 0), process: rows.text(0, 1), sliceVersion: rows.int64(0, 2))
    }

    private func taken(_ statement: PostgresStatement, _ values: [PostgresValue]) throws(CommitError) -> TakenShard? {
        let rows = try run { () throws(PostgresError) in try connection.query(statement, values) }
        guard rows.rowCount == 1 else { return nil }
        return TakenShard(
            epoch: rows.int64(0, 0),
            outboxSequence: rows.int64(0, 1),
            commitCount: rows.int64(0, 2),
            formatLevel: rows.int32(0, 3)
        )
    }

    public func epoch(of shard: Int32) throws(CommitError) -> Int64 {
        let rows = try run { () throws(PostgresError) in try connection.query(LaneStatements.epoch, [.int32(shard)]) }
        return rows.rowCount == 1 ? rows.int64(0, 0) : 0
    }

    public func renewLease(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> Bool {
        let values: [PostgresValue] = [.int32(shard), .int64(epoch), .text(owner.process)]
        let rows = try run { () throws(PostgresError) in try connection.query(LaneStatements.renew, values) }
        return rows.affectedRows == 1
    }

    public func releaseShard(_ shard: Int32, epoch: Int64) throws(CommitError) {
        _ = try run { () throws(PostgresError) in
            try connection.query(LaneStatements.release, [.int32(shard), .int64(epoch)])
        }
    }

    public func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool {
        let values: [PostgresValue] = [.uuid(high: runID.high, low: runID.low), .int64(sequence)]
        return try run { () throws(PostgresError) in
            try connection.query(LaneStatements.journalRow, values).rowCount == 1
        }
    }

    public func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool {
        let values: [PostgresValue] = [
            .int32(row.key.namespace), .text(row.key.workflowID), .text(row.commandID), .text(row.source.topic),
            .int32(row.source.partition), .int64(row.source.offset),
        ]
        return try run { () throws(PostgresError) in
            try connection.query(LaneStatements.inboxRow, values).rowCount == 1
        }
    }

    public func reconnect() throws(CommitError) {
        try run { () throws(PostgresError) in try connection.reconnect() }
    }

    private func run<Value>(_ body: () throws(PostgresError) -> Value) throws(CommitError) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            throw CommitError(error)
        }
    }
}
