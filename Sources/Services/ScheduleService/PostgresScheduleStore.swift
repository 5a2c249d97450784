internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreProtobuf
internal import SagamoreScheduling

/// Schedules as rows. Used by one thread. Blocks.
final class PostgresScheduleStore {
    private let connection: PostgresConnection
    private let log: Logger

    init(_ connection: PostgresConnection, _ log: Logger) {
        self.connection = connection
        self.log = log
    }

    /// The values that a write is found by.
    struct FoundBy {
        let write: ScheduleWrite
        let values: [SearchValue]
    }

    /// Writes all, but for those that find another revision than they are based on.
    ///
    /// - Returns: those that were left out.
    func write(_ writes: [FoundBy]) throws(PostgresError) -> Set<ScheduleName> {
        var (inserts, updates, deletions) = (RowColumns(), RowColumns(), RowColumns())
        var progress = RowColumns()
        var changed = PostgresArray(of: .uuid)
        var values = SearchValueColumns()
        var written: Set<RunID> = []
        for found in writes {
            let write = found.write
            switch (write.record, write.basis) {
            case (nil, _): deletions.append(write)
            case (_?, 0): inserts.append(write)
            case (_?, _) where write.changesDefinition || write.changesAttributes: updates.append(write)
            default: progress.append(write)
            }
            if write.changesAttributes || write.record == nil {
                changed.append(uuidHigh: write.instance.high, low: write.instance.low)
            }
            if write.changesAttributes { values.append(found.values, of: write.instance, write.name.namespace) }
        }
        var batch = PostgresBatch()
        if !progress.isEmpty { batch.append(Statements.progress, progress.progressParameters) }
        if !updates.isEmpty { batch.append(Statements.update, updates.parameters) }
        if !deletions.isEmpty { batch.append(Statements.delete, deletions.nameParameters) }
        if !inserts.isEmpty { batch.append(Statements.insert, inserts.parameters) }
        let changes = [progress, updates, deletions, inserts].count { !$0.isEmpty }
        if changed.count > 0 { batch.append(Statements.removeValues, [.array(changed)]) }
        if !values.isEmpty { batch.append(SearchValueColumns.insert, values.parameters) }
        for result in try connection.transaction(batch).prefix(changes) {
            for row in 0..<result.rowCount { written.insert(RunID(result.uuid(row, 0))) }
        }
        return Set(writes.lazy.map(\.write).filter { !written.contains($0.instance) }.map(\.name))
    }

    /// Those of these that exist.
    func load(_ names: [ScheduleName]) throws(PostgresError) -> [StoredSchedule] {
        var namespaces = PostgresArray(of: .int32, capacity: names.count)
        var ids = PostgresArray(of: .text, capacity: names.count)
        for name in names {
            namespaces.append(name.namespace)
            ids.append(name.id)
        }
        return stored(try connection.query(Statements.load, [.array(namespaces), .array(ids)]))
    }

    /// Those whose alarms have come, and the earliest alarm behind them.
    func load(_ due: ScheduleDueLoad) throws(PostgresError) -> DueSchedules {
        let after = due.after
        let rows = try connection.query(
            Statements.due,
            [
                .int64(after?.alarm.nanoseconds ?? .min),
                .uuid(high: after?.instance.high ?? 0, low: after?.instance.low ?? 0),
                .int64(due.until.nanoseconds), .int64(Int64(due.limit)),
            ]
        )
        let next = try connection.query(Statements.next, [.int64(due.until.nanoseconds)])
        var found = DueSchedules(
            schedules: stored(rows),
            next: next.optionalInt64(0, 0).map { Instant(nanoseconds: $0) }
        )
        if rows.rowCount == due.limit {
            let row = rows.rowCount - 1
            found.last = (Instant(nanoseconds: rows.int64(row, 4)), RunID(rows.uuid(row, 2)))
        }
        return found
    }

    /// A row that this program cannot read is left out: its schedule stands still, and is not harmed.
    private func stored(_ rows: PostgresResult) -> [StoredSchedule] {
        (0..<rows.rowCount).compactMap { row in
            guard let definition = try? Schedule(serializedBytes: rows.bytes(row, 5)),
                let progress = try? ScheduleProgress(bytes: rows.bytes(row, 6))
            else {
                log.critical(
                    "a schedule cannot be read, and stands still",
                    metadata: ["namespace": "\(rows.int32(row, 0))", "schedule": "\(rows.text(row, 1))"]
                )
                return nil
            }
            let record = ScheduleRecord(
                namespace: rows.int32(row, 0),
                id: rows.text(row, 1),
                instance: RunID(rows.uuid(row, 2)),
                definition: definition,
                memo: rows.optionalBytes(row, 7).map { RawMessage(uncheckedBytes: $0) },
                searchAttributes: rows.optionalBytes(row, 8).map { RawMessage(uncheckedBytes: $0) },
                progress: progress
            )
            return StoredSchedule(record: record, revision: rows.int64(row, 3))
        }
    }
}

extension RunID {
    init(_ uuid: (UInt64, UInt64)) { self.init(high: uuid.0, low: uuid.1) }
}

/// Rows as columns.
private struct RowColumns {
    private var namespaces = PostgresArray(of: .int32)
    private var ids = PostgresArray(of: .text)
    private var instances = PostgresArray(of: .uuid)
    private var bases = PostgresArray(of: .int64)
    private var alarms = PostgresArray(of: .int64)
    private var progress = PostgresArray(of: .bytea)
    private var definitions = PostgresArray(of: .bytea)
    private var memos = PostgresArray(of: .bytea)
    private var attributes = PostgresArray(of: .bytea)

    var isEmpty: Bool { instances.count == 0 }

    mutating func append(_ write: ScheduleWrite) {
        namespaces.append(write.name.namespace)
        ids.append(write.name.id)
        instances.append(uuidHigh: write.instance.high, low: write.instance.low)
        bases.append(write.basis)
        guard let record = write.record else { return }
        if let alarm = write.alarm { alarms.append(alarm.nanoseconds) } else { alarms.appendNull() }
        progress.append(record.progress.bytes)
        definitions.append(record.definition.serializedBytes())
        if let memo = record.memo { memos.append(memo.bytes) } else { memos.appendNull() }
        if let given = record.searchAttributes { attributes.append(given.bytes) } else { attributes.appendNull() }
    }

    var nameParameters: [PostgresValue] { [namespaces, ids, instances, bases].map { .array($0) } }
    var progressParameters: [PostgresValue] { nameParameters + [alarms, progress].map { .array($0) } }
    var parameters: [PostgresValue] { progressParameters + [definitions, memos, attributes].map { .array($0) } }
}

private enum Statements {
    private static let columns = """
        s.namespace, s.schedule_id, s.instance, s.revision, s.alarm_at, s.definition, s.progress, s.memo,
        s.search_attributes
        """
    private static let isThis = """
        s.namespace = c.namespace and s.schedule_id = c.schedule_id and s.instance = c.instance
        and s.revision = c.basis
        """

    static let progress = PostgresStatement(
        "schedule_progress",
        """
        update sagamore.schedules as s set revision = s.revision + 1, alarm_at = c.alarm_at, progress = c.progress
            from unnest($1::int4[], $2::text[], $3::uuid[], $4::int8[], $5::int8[], $6::bytea[])
                as c(namespace, schedule_id, instance, basis, alarm_at, progress)
            where \(isThis) returning s.instance
        """
    )
    static let update = PostgresStatement(
        "schedule_update",
        """
        update sagamore.schedules as s set revision = s.revision + 1, alarm_at = c.alarm_at, progress = c.progress,
            definition = c.definition, memo = c.memo, search_attributes = c.search_attributes
            from unnest($1::int4[], $2::text[], $3::uuid[], $4::int8[], $5::int8[], $6::bytea[], $7::bytea[],
                $8::bytea[], $9::bytea[])
                as c(namespace, schedule_id, instance, basis, alarm_at, progress, definition, memo,
                    search_attributes)
            where \(isThis) returning s.instance
        """
    )
    static let insert = PostgresStatement(
        "schedule_insert",
        """
        insert into sagamore.schedules as s (namespace, schedule_id, instance, revision, alarm_at, progress, definition,
            memo, search_attributes)
            select namespace, schedule_id, instance, basis + 1, alarm_at, progress, definition, memo,
                search_attributes
            from unnest($1::int4[], $2::text[], $3::uuid[], $4::int8[], $5::int8[], $6::bytea[], $7::bytea[],
                $8::bytea[], $9::bytea[])
                as c(namespace, schedule_id, instance, basis, alarm_at, progress, definition, memo,
                    search_attributes)
            on conflict do nothing returning s.instance
        """
    )
    static let delete = PostgresStatement(
        "schedule_delete",
        """
        delete from sagamore.schedules as s
            using unnest($1::int4[], $2::text[], $3::uuid[], $4::int8[]) as c(namespace, schedule_id, instance, basis)
            where \(isThis) returning s.instance
        """
    )
    static let removeValues = PostgresStatement(
        "schedule_remove_values",
        "delete from sagamore.search_values as v using unnest($1::uuid[]) as c(instance) where v.run_id = c.instance"
    )
    static let load = PostgresStatement(
        "schedule_load",
        """
        select \(columns) from unnest($1::int4[], $2::text[]) as c(namespace, schedule_id)
            join sagamore.schedules s on s.namespace = c.namespace and s.schedule_id = c.schedule_id
        """,
        readsOnly: true
    )
    static let due = PostgresStatement(
        "schedule_due",
        """
        select \(columns) from sagamore.schedules s
            where (s.alarm_at, s.instance) > ($1, $2) and s.alarm_at <= $3
            order by s.alarm_at, s.instance limit $4
        """,
        readsOnly: true
    )
    static let next = PostgresStatement(
        "schedule_next",
        "select min(alarm_at) from sagamore.schedules where alarm_at > $1",
        readsOnly: true
    )
}
