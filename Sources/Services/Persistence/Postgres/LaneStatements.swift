internal import SagamoreEngine
internal import SagamorePostgresClient
internal import SagamoreProtobuf
internal import SagamoreServices

/// The statements of a commit: each writes all rows of a table at once.
enum LaneStatements {
    /// The function raises. It is called only if the update found no row, since a call takes longer than that check.
    static let fence = PostgresStatement(
        "lane_fence",
        """
        with owned as (
            update sagamore.shards set outbox_sequence = outbox_sequence + $3, commit_count = commit_count + 1
                where id = $1 and epoch = $2 returning id
        )
        select sagamore.fence($1, $2, $3) where not exists (select from owned)
        """
    )

    private static let length = interval(ShardLease.length)
    private static let grace = interval(ShardLease.grace)

    private static let outboxStart = """
        case when $6 then greatest((extract(epoch from now()) * 1000000)::bigint, outbox_sequence + 1000000)
            else outbox_sequence end
        """

    private static func interval(_ interval: Interval) -> String {
        "interval '\(interval.nanoseconds / 1_000_000) milliseconds'"
    }

    /// A shard can be taken some time after its lease expired, or at once by a new process of the same node. A program
    /// that cannot read what other owners may have written takes no shard.
    ///
    /// Records are numbered from the database's clock on, in microseconds since 1970. So numbers that commits had which
    /// the database has lost, after a restore or with a standby that took over, are not given again: nobody writes a
    /// million records a second. The least step is for a clock that was ahead before. An owner that wrote none leaves
    /// its gap to the next one.
    static let take = PostgresStatement(
        "lane_take",
        """
        update sagamore.shards set epoch = epoch + 1, node = $2, owner = $3, lease_until = now() + \(length),
                outbox_found = case when outbox_sequence = outbox_start then outbox_found else outbox_sequence end,
                outbox_sequence = \(outboxStart), outbox_start = \(outboxStart)
            where id = $1 and (node = $2 or owner = '' or lease_until < now() - \(grace))
                and slice_version = $4 and (select format_level from sagamore.installation) <= $5
            returning epoch, outbox_sequence, commit_count, (select format_level from sagamore.installation)
        """
    )
    static let formatLevel = PostgresStatement(
        "lane_format_level",
        "select format_level from sagamore.installation",
        readsOnly: true
    )
    /// The epoch may be higher than the known one: the connection may have broken after the commit of an earlier
    /// attempt. An owner's name belongs to one process, so the row still names this one.
    static let retake = PostgresStatement(
        "lane_retake",
        """
        update sagamore.shards set epoch = epoch + 1, lease_until = now() + \(length)
            where id = $1 and owner = $2 and epoch >= $3 and slice_version = $4
            returning epoch, outbox_sequence, commit_count, (select format_level from sagamore.installation)
        """
    )
    static let standing = PostgresStatement(
        "lane_standing",
        "select node, owner, slice_version from sagamore.shards where id = $1",
        readsOnly: true
    )
    static let epoch = PostgresStatement(
        "lane_epoch",
        "select epoch from sagamore.shards where id = $1",
        readsOnly: true
    )
    static let renew = PostgresStatement(
        "lane_renew",
        """
        update sagamore.shards set lease_until = now() + \(length)
            where id = $1 and epoch = $2 and owner = $3
        """
    )
    static let release = PostgresStatement(
        "lane_release",
        "update sagamore.shards set owner = '', lease_until = '-infinity' where id = $1 and epoch = $2"
    )
    static let journalRow = PostgresStatement(
        "lane_journal_row",
        "select 1 from sagamore.journal where run_id = $1 and sequence = $2"
    )
    static let inboxRow = PostgresStatement(
        "lane_inbox_row",
        """
        select 1 from sagamore.inbox where namespace = $1 and workflow_id = $2 and command_id = $3
            and topic = $4 and topic_partition = $5 and record_offset = $6
        """
    )

    private static let setAlarms = PostgresStatement(
        "lane_set_alarms",
        """
        update sagamore.alarms as a set alarm_at = c.alarm_at
            from unnest($1::uuid[], $2::int8[]) as c(run_id, alarm_at) where a.run_id = c.run_id
        """
    )
    private static let closeAlarms = PostgresStatement(
        "lane_close_alarms",
        """
        update sagamore.alarms as a set alarm_at = c.alarm_at, open_namespace = null, open_workflow_id = null
            from unnest($1::uuid[], $2::int8[]) as c(run_id, alarm_at) where a.run_id = c.run_id
        """
    )
    private static let removeAlarms = PostgresStatement(
        "lane_remove_alarms",
        "delete from sagamore.alarms where run_id = any($1::uuid[])"
    )
    private static let insertAlarms = RowStatement.insert(
        "lane_insert_alarms",
        into: "alarms",
        [
            .init("run_id", .uuid), .init("alarm_at", .int64), .init("slice", .int32),
            .init("open_namespace", .int32), .init("open_workflow_id", .text),
        ]
    )

    /// Alarms of closed runs are written before new ones: a workflow id has one open run at a time.
    ///
    /// - Parameter newRuns: an alarm that is inserted names the workflow of its run, of which one may be open.
    static func append(
        alarmChanges: [AlarmChange],
        newRuns: [RunRow],
        to statements: inout PostgresBatch
    ) {
        let insertions = alarmChanges.count { if case .insert = $0.change { true } else { false } }
        var inserted = RowValues(insertAlarms, count: insertions)
        var runs = RunCursor(rows: newRuns)
        var changed = AlarmColumns()
        var closed = AlarmColumns()
        var removed = PostgresArray(of: .uuid)
        for alarm in alarmChanges {
            switch alarm.change {
            case .insert(let value, let isOpen):
                let key = runs.row(of: alarm.runID)?.key
                inserted.append(alarm.runID)
                inserted.append(value.at?.nanoseconds)
                inserted.append(key.map { Int32(SliceTable.slice(of: $0)) })
                inserted.append(isOpen ? key?.namespace : nil)
                inserted.append(isOpen ? key?.workflowID : nil)
            case .set(let value): changed.append(alarm.runID, value)
            case .close(let value): closed.append(alarm.runID, value)
            case .remove: removed.append(alarm.runID)
            }
        }
        if changed.runIDs.count > 0 {
            let count = changed.runIDs.count
            statements.append(setAlarms, [.array(changed.runIDs), .array(changed.times)], changing: count)
        }
        if closed.runIDs.count > 0 {
            let count = closed.runIDs.count
            statements.append(closeAlarms, [.array(closed.runIDs), .array(closed.times)], changing: count)
        }
        if removed.count > 0 { statements.append(removeAlarms, [.array(removed)], changing: removed.count) }
        if insertions > 0 { statements.append(inserted) }
    }

    /// Finds the rows of runs that begin. Alarms are inserted in the order of their runs' rows, so the next row is
    /// tried first.
    private struct RunCursor {
        let rows: [RunRow]
        private var next = 0

        init(rows: [RunRow]) { self.rows = rows }

        mutating func row(of runID: RunID) -> RunRow? {
            let ahead = rows[next...].firstIndex { $0.runID == runID }
            guard let index = ahead ?? rows[..<next].firstIndex(where: { $0.runID == runID }) else { return nil }
            next = index + 1
            return rows[index]
        }
    }

    private struct AlarmColumns {
        var runIDs = PostgresArray(of: .uuid)
        var times = PostgresArray(of: .int64)

        mutating func append(_ runID: RunID, _ value: AlarmValue) {
            runIDs.append(runID)
            times.append(optional: value.at?.nanoseconds)
        }
    }

    /// Raises if a workflow already has a run.
    private static let requireNew = RowStatement(
        "lane_require_new",
        [.init("namespace", .int32), .init("workflow_id", .text)]
    ) { rows in
        """
        select sagamore.refuse_known_workflow() from \(rows)
            where exists (
                select from sagamore.runs as r where r.namespace = c.namespace and r.workflow_id = c.workflow_id
            )
        """
    }

    static func append(assumedNew: [WorkflowKey], to statements: inout PostgresBatch) {
        guard !assumedNew.isEmpty else { return }
        var rows = RowValues(requireNew, count: assumedNew.count)
        for key in assumedNew {
            rows.append(key.namespace)
            rows.append(key.workflowID)
        }
        statements.append(rows)
    }

    private static let insertJournal = RowStatement.insert(
        "lane_insert_journal",
        into: "journal",
        [
            .init("run_id", .uuid), .init("sequence", .int64), .init("first_event_id", .int64),
            .init("events", .bytea), .init("facts", .bytea), .init("step", .text), .init("build_id", .text),
            .init("binary_checksum", .text),
        ]
    )

    static func append(journal: [JournalRow], to statements: inout PostgresBatch) {
        guard !journal.isEmpty else { return }
        var rows = RowValues(insertJournal, count: journal.count)
        for row in journal {
            rows.append(row.runID)
            rows.append(row.sequence)
            rows.append(row.firstEventID)
            rows.append(row.events)
            rows.append(row.facts)
            rows.append(row.step)
            rows.append(row.build.id)
            rows.append(row.build.binaryChecksum)
        }
        statements.append(rows)
    }

    private static let insertInbox = RowStatement.insert(
        "lane_insert_inbox",
        into: "inbox",
        [
            .init("received_at", .int64), .init("namespace", .int32), .init("workflow_id", .text),
            .init("command_id", .text), .init("cluster", .text), .init("topic", .text),
            .init("topic_partition", .int32), .init("record_offset", .int64),
        ]
    )

    static func append(inbox: [InboxRow], to statements: inout PostgresBatch) {
        guard !inbox.isEmpty else { return }
        var rows = RowValues(insertInbox, count: inbox.count)
        for row in inbox {
            rows.append(row.receivedAt.nanoseconds)
            rows.append(row.key.namespace)
            rows.append(row.key.workflowID)
            rows.append(row.commandID)
            rows.append(row.source.cluster)
            rows.append(row.source.topic)
            rows.append(row.source.partition)
            rows.append(row.source.offset)
        }
        statements.append(rows)
    }

    private static let insertOutbox = PostgresStatement(
        "lane_insert_outbox",
        """
        insert into sagamore.outbox (shard, sequence, topic, key, value, headers)
            select $1, sequence, topic, key, value, headers
            from unnest($2::int8[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[])
                as o(sequence, topic, key, value, headers)
        """
    )

    static func append(
        outbox: [OutboxRecord],
        shard: PostgresValue,
        after last: Int64,
        to statements: inout PostgresBatch
    ) {
        guard !outbox.isEmpty else { return }
        let count = outbox.count
        var sequences = PostgresArray(of: .int64, capacity: count)
        var topics = PostgresArray(of: .text, capacity: count)
        var keys = PostgresArray(of: .bytea, capacity: count)
        var values = PostgresArray(of: .bytea, capacity: count)
        var headers = PostgresArray(of: .bytea, capacity: count)
        for (index, record) in outbox.enumerated() {
            sequences.append(last + 1 + Int64(index))
            topics.append(record.topic)
            if let key = record.key { keys.append(key) } else { keys.appendNull() }
            if let value = record.value { values.append(value) } else { values.appendNull() }
            headers.append(OutboxHeaders.encode(record.headers))
        }
        statements.append(
            insertOutbox,
            [shard, .array(sequences), .array(topics), .array(keys), .array(values), .array(headers)]
        )
    }
}
