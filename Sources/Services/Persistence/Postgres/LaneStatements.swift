internal import SagamoreEngine
internal import SagamorePostgresClient
internal import SagamoreProtobuf
internal import SagamoreServices

/// The statements of a commit: each writes all rows of a table at once, from arrays.
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
    private static let insertAlarms = PostgresStatement(
        "lane_insert_alarms",
        """
        insert into sagamore.alarms (run_id, alarm_at, slice, open_namespace, open_workflow_id)
            select run_id, alarm_at, slice, namespace, workflow_id
                from unnest($1::uuid[], $2::int8[], $3::int4[], $4::int4[], $5::text[])
                    as c(run_id, alarm_at, slice, namespace, workflow_id)
        """
    )

    /// Alarms of closed runs are written before new ones: a workflow id has one open run at a time.
    ///
    /// - Parameter newRuns: an alarm that is inserted names the workflow of its run, of which one may be open.
    static func append(
        alarmChanges: [AlarmChange],
        newRuns: [RunRow],
        to statements: inout PostgresBatch
    ) {
        var inserted = AlarmColumns()
        var workflows = WorkflowColumns(newRuns)
        var changed = AlarmColumns()
        var closed = AlarmColumns()
        var removed = PostgresArray(of: .uuid)
        for alarm in alarmChanges {
            switch alarm.change {
            case .insert(let value, let isOpen):
                inserted.append(alarm.runID, value)
                workflows.append(workflowOf: alarm.runID, isOpen: isOpen)
            case .set(let value): changed.append(alarm.runID, value)
            case .close(let value): closed.append(alarm.runID, value)
            case .remove: removed.append(uuidHigh: alarm.runID.high, low: alarm.runID.low)
            }
        }
        if changed.runIDs.count > 0 {
            statements.append(setAlarms, [.array(changed.runIDs), .array(changed.times)])
        }
        if closed.runIDs.count > 0 {
            statements.append(closeAlarms, [.array(closed.runIDs), .array(closed.times)])
        }
        if removed.count > 0 { statements.append(removeAlarms, [.array(removed)]) }
        if inserted.runIDs.count > 0 {
            let values: [PostgresArray] = [
                inserted.runIDs, inserted.times, workflows.slices, workflows.namespaces, workflows.ids,
            ]
            statements.append(insertAlarms, values.map { .array($0) })
        }
    }

    /// The workflows of runs that begin. Alarms are inserted in the order of their runs' rows, so the next row is tried
    /// first.
    private struct WorkflowColumns {
        private let rows: [RunRow]
        private var next = 0
        private(set) var slices = PostgresArray(of: .int32)
        private(set) var namespaces = PostgresArray(of: .int32)
        private(set) var ids = PostgresArray(of: .text)

        init(_ rows: [RunRow]) { self.rows = rows }

        mutating func append(workflowOf runID: RunID, isOpen: Bool) {
            let ahead = rows[next...].firstIndex { $0.runID == runID }
            guard let index = ahead ?? rows[..<next].firstIndex(where: { $0.runID == runID }) else {
                slices.appendNull()
                namespaces.appendNull()
                ids.appendNull()
                return
            }
            slices.append(Int32(SliceTable.slice(of: rows[index].key)))
            next = index + 1
            guard isOpen else {
                namespaces.appendNull()
                ids.appendNull()
                return
            }
            namespaces.append(rows[index].key.namespace)
            ids.append(rows[index].key.workflowID)
        }
    }

    private struct AlarmColumns {
        var runIDs = PostgresArray(of: .uuid)
        var times = PostgresArray(of: .int64)

        mutating func append(_ runID: RunID, _ value: AlarmValue) {
            runIDs.append(uuidHigh: runID.high, low: runID.low)
            if let at = value.at { times.append(at.nanoseconds) } else { times.appendNull() }
        }
    }

    /// Raises if a workflow already has a run.
    private static let requireNew = PostgresStatement(
        "lane_require_new",
        """
        select sagamore.refuse_known_workflow() from unnest($1::int4[], $2::text[]) as q(namespace, workflow_id)
            where exists (
                select from sagamore.runs as r where r.namespace = q.namespace and r.workflow_id = q.workflow_id
            )
        """
    )

    static func append(assumedNew: [WorkflowKey], to statements: inout PostgresBatch) {
        guard !assumedNew.isEmpty else { return }
        var namespaces = PostgresArray(of: .int32, capacity: assumedNew.count)
        var workflowIDs = PostgresArray(of: .text, capacity: assumedNew.count)
        for key in assumedNew {
            namespaces.append(key.namespace)
            workflowIDs.append(key.workflowID)
        }
        statements.append(requireNew, [.array(namespaces), .array(workflowIDs)])
    }

    private static let insertJournal = PostgresStatement(
        "lane_insert_journal",
        """
        insert into sagamore.journal (run_id, sequence, first_event_id, events, facts, step, build_id,
                binary_checksum)
            select * from unnest($1::uuid[], $2::int8[], $3::int8[], $4::bytea[], $5::bytea[], $6::text[], $7::text[],
                $8::text[])
        """
    )

    static func append(journal: [JournalRow], to statements: inout PostgresBatch) {
        guard !journal.isEmpty else { return }
        let count = journal.count
        var ids = PostgresArray(of: .uuid, capacity: count)
        var sequences = PostgresArray(of: .int64, capacity: count)
        var firsts = PostgresArray(of: .int64, capacity: count)
        var events = PostgresArray(of: .bytea, capacity: count)
        var facts = PostgresArray(of: .bytea, capacity: count)
        var steps = PostgresArray(of: .text, capacity: count)
        var builds = PostgresArray(of: .text, capacity: count)
        var checksums = PostgresArray(of: .text, capacity: count)
        for row in journal {
            ids.append(uuidHigh: row.runID.high, low: row.runID.low)
            sequences.append(row.sequence)
            firsts.append(row.firstEventID)
            events.append(row.events)
            facts.append(row.facts)
            steps.append(optional: row.step)
            builds.append(optional: row.build.id)
            checksums.append(optional: row.build.binaryChecksum)
        }
        let columns = [ids, sequences, firsts, events, facts, steps, builds, checksums]
        statements.append(insertJournal, columns.map { .array($0) })
    }

    private static let insertInbox = PostgresStatement(
        "lane_insert_inbox",
        """
        insert into sagamore.inbox (received_at, namespace, workflow_id, command_id, cluster, topic, topic_partition,
            record_offset)
            select * from unnest($1::int8[], $2::int4[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int4[],
                $8::int8[])
        """
    )

    static func append(inbox: [InboxRow], to statements: inout PostgresBatch) {
        guard !inbox.isEmpty else { return }
        let count = inbox.count
        var times = PostgresArray(of: .int64, capacity: count)
        var namespaces = PostgresArray(of: .int32, capacity: count)
        var workflowIDs = PostgresArray(of: .text, capacity: count)
        var commandIDs = PostgresArray(of: .text, capacity: count)
        var clusters = PostgresArray(of: .text, capacity: count)
        var topics = PostgresArray(of: .text, capacity: count)
        var partitions = PostgresArray(of: .int32, capacity: count)
        var offsets = PostgresArray(of: .int64, capacity: count)
        for row in inbox {
            times.append(row.receivedAt.nanoseconds)
            namespaces.append(row.key.namespace)
            workflowIDs.append(row.key.workflowID)
            commandIDs.append(row.commandID)
            clusters.append(row.source.cluster)
            topics.append(row.source.topic)
            partitions.append(row.source.partition)
            offsets.append(row.source.offset)
        }
        statements.append(
            insertInbox,
            [
                .array(times), .array(namespaces), .array(workflowIDs), .array(commandIDs), .array(clusters),
                .array(topics), .array(partitions), .array(offsets),
            ]
        )
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
