internal import SagamoreEngine
public import SagamorePostgresClient
internal import SagamoreServices

/// The publisher's side of PostgreSQL, with its own connection.
///
/// Its session should have `synchronous_commit=off`: what it writes only saves work after a crash.
public final class PostgresOutboxStore: OutboxStore {
    private let connection: PostgresConnection
    private let process: String

    /// - Parameter process: the name under which this process owns shards (`ShardOwner.process`).
    public init(_ connection: PostgresConnection, process: String) {
        self.connection = connection
        self.process = process
    }

    private static let standing = PostgresStatement(
        "outbox_standing",
        "select owner = $2, outbox_sequence, outbox_found, outbox_start from sagamore.shards where id = $1",
        readsOnly: true
    )

    public func standing(of shard: Int32) throws(CommitError) -> ShardStanding {
        let rows = try query(Self.standing, [.int32(shard), .text(process)])
        guard rows.rowCount == 1 else { return ShardStanding(isOwned: false, outboxSequence: 0) }
        var leftOut: ClosedRange<Int64>?
        if let found = rows.optionalInt64(0, 2), let start = rows.optionalInt64(0, 3), found < start {
            leftOut = (found + 1)...start
        }
        return ShardStanding(isOwned: rows.bool(0, 0), outboxSequence: rows.int64(0, 1), leftOut: leftOut)
    }

    private static let endWaits = PostgresStatement(
        "outbox_end_waits",
        """
        delete from sagamore.outbox_waits w where w.shard = $1 and not exists (
            select from sagamore.outbox o where o.shard = w.for_shard and o.sequence <= w.through_sequence)
        """
    )
    private static let waits = PostgresStatement(
        "outbox_waits",
        """
        select topic, min(w.after_sequence) from sagamore.outbox_waits w
            join sagamore.outbox o on o.shard = w.for_shard and o.sequence <= w.through_sequence
            where w.shard = $1 group by topic
        """,
        readsOnly: true
    )

    public func waits(of shard: Int32) throws(CommitError) -> [String: Int64] {
        _ = try query(Self.endWaits, [.int32(shard)])
        let rows = try query(Self.waits, [.int32(shard)])
        var waits: [String: Int64] = [:]
        for row in 0..<rows.rowCount { waits[rows.text(row, 0)] = rows.int64(row, 1) }
        return waits
    }

    /// The size of a value is known without reading it: large ones are stored apart, not compressed. Whether a record
    /// may have to wait is looked at in the statement that reads it, since its slice may just have moved.
    private static func select(_ name: String, where condition: String) -> PostgresStatement {
        PostgresStatement(
            name,
            """
            select sequence, topic, key, value, headers, coalesce(sequence > (
                select min(after_sequence) from sagamore.outbox_waits where shard = $1), false)
            from (
                select *, sum(size) over (order by sequence) - size as earlier from (
                    select sequence, topic, key, value, headers,
                        coalesce(octet_length(value), 0) + octet_length(headers) as size
                    from sagamore.outbox where shard = $1 and sequence > $2 and \(condition)
                    order by sequence limit $4
                ) as r
            ) as b where earlier < $5 order by sequence
            """,
            readsOnly: true
        )
    }
    private static let selectAllBut = select("outbox_read", where: "topic <> all($3::text[])")
    private static let selectOnly = select("outbox_read_topic", where: "topic = $3")

    public func read(_ query: OutboxQuery) throws(CommitError) -> [OutboxRow] {
        let topics: PostgresValue
        let statement: PostgresStatement
        switch query.topics {
        case .only(let topic):
            topics = .text(topic)
            statement = Self.selectOnly
        case .allBut(let excluded):
            var array = PostgresArray(of: .text, capacity: excluded.count)
            for topic in excluded { array.append(topic) }
            topics = .array(array)
            statement = Self.selectAllBut
        }
        let values: [PostgresValue] = [
            .int32(query.shard), .int64(query.after), topics, .int64(Int64(query.rowLimit)),
            .int64(Int64(query.byteLimit)),
        ]
        let rows = try self.query(statement, values)
        return (0..<rows.rowCount).map { row in
            // This program writes the headers. If they are damaged, the record is still published.
            let headers = (try? OutboxHeaders.decode(rows.bytes(row, 4))) ?? []
            return OutboxRow(
                sequence: rows.int64(row, 0),
                record: OutboxRecord(
                    topic: rows.text(row, 1),
                    key: rows.optionalBytes(row, 2),
                    value: rows.optionalBytes(row, 3),
                    headers: headers
                ),
                mayWait: rows.bool(row, 5)
            )
        }
    }

    private static let readPositions = PostgresStatement(
        "outbox_positions",
        "select topic, sequence from sagamore.outbox_positions where shard = $1",
        readsOnly: true
    )

    public func positions(of shard: Int32) throws(CommitError) -> [String: Int64] {
        let rows = try query(Self.readPositions, [.int32(shard)])
        var positions: [String: Int64] = [:]
        for row in 0..<rows.rowCount { positions[rows.text(row, 0)] = rows.int64(row, 1) }
        return positions
    }

    private static let writePositions = PostgresStatement(
        "outbox_record_positions",
        """
        insert into sagamore.outbox_positions as p (shard, topic, sequence)
            select $1, * from unnest($2::text[], $3::int8[])
            on conflict (shard, topic) do update set sequence = excluded.sequence
                where p.sequence < excluded.sequence
        """
    )

    public func record(_ positions: [String: Int64], of shard: Int32) throws(CommitError) {
        guard !positions.isEmpty else { return }
        var topics = PostgresArray(of: .text, capacity: positions.count)
        var sequences = PostgresArray(of: .int64, capacity: positions.count)
        for (topic, sequence) in positions.sorted(by: { $0.key < $1.key }) {
            topics.append(topic)
            sequences.append(sequence)
        }
        _ = try query(Self.writePositions, [.int32(shard), .array(topics), .array(sequences)])
    }

    private static let deletePublished = PostgresStatement(
        "outbox_delete",
        """
        with published as (
            delete from sagamore.outbox where shard = $1 and sequence = any(array(
                select sequence from sagamore.outbox
                where shard = $1 and sequence > $2 and sequence <= $3 and topic = $4
                order by sequence limit $5
            )) returning sequence
        )
        select max(sequence) from published
        """
    )

    public func delete(_ range: OutboxRange, limit: Int) throws(CommitError) -> Int64? {
        let values: [PostgresValue] = [
            .int32(range.shard), .int64(range.after), .int64(range.through), .text(range.topic), .int64(Int64(limit)),
        ]
        return try query(Self.deletePublished, values).optionalInt64(0, 0)
    }

    private static let insertDead = PostgresStatement(
        "outbox_insert_dead",
        """
        insert into sagamore.dead_events (shard, sequence, topic, key, value, headers, error)
            values ($1, $2, $3, $4, $5, $6, $7) on conflict (shard, sequence) do nothing
        """
    )

    public func insertDeadEvent(_ row: OutboxRow, shard: Int32, error: String) throws(CommitError) {
        let record = row.record
        let values: [PostgresValue] = [
            .int32(shard), .int64(row.sequence), .text(record.topic), record.key.map { .bytes($0) } ?? .null,
            record.value.map { .bytes($0) } ?? .null, .bytes(OutboxHeaders.encode(record.headers)), .text(error),
        ]
        // This is the only copy of the record, so it must be durable whatever the session's setting.
        var batch = PostgresBatch()
        batch.append(PostgresStatement("outbox_durable", "set local synchronous_commit = on"))
        batch.append(Self.insertDead, values)
        try run { () throws(PostgresError) in _ = try connection.transaction(batch) }
    }

    public func reconnect() throws(CommitError) {
        try run { () throws(PostgresError) in try connection.reconnect() }
    }

    private func query(
        _ statement: PostgresStatement,
        _ values: [PostgresValue]
    ) throws(CommitError) -> PostgresResult {
        try run { () throws(PostgresError) in try connection.query(statement, values) }
    }

    private func run<Value>(_ body: () throws(PostgresError) -> Value) throws(CommitError) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            throw CommitError(error)
        }
    }
}
