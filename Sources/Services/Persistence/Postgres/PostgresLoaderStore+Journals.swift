public import SagamoreEngine
internal import SagamorePostgresClient

extension PostgresLoaderStore {
    /// The most rows that are read for a page, however small they are.
    private static let pageRowLimit: Int64 = 50_000

    /// A snapshot takes the position of the row of its last transition, and rows up to it are left out. Runs are
    /// scanned in order, and no more of them than fit in a page of rows. The length of bytes is known without reading
    /// those that are stored out of line.
    private static let journals = PostgresStatement(
        "load_journals",
        """
        select run_id, sequence, first_event_id, events, facts, format from (
            select *, sum(length(events) + length(facts)) over (order by run_id, sequence rows unbounded preceding)
                    - length(events) - length(facts) as before
                from (
                    select q.run_id, p.* from (
                        select run_id from unnest($1::uuid[]) as u(run_id) where run_id >= $2 order by run_id
                    ) as q
                    left join sagamore.snapshots as s on s.run_id = q.run_id
                    cross join lateral (
                        select s.sequence, 0::int8 as first_event_id, s.state as events, ''::bytea as facts, s.format
                            where s.sequence > case when q.run_id = $2 then $3::int8 else 0 end
                        union all
                        select j.sequence, j.first_event_id, j.events, j.facts, null::int2
                            from sagamore.journal as j where j.run_id = q.run_id and j.sequence >
                                greatest(s.sequence, case when q.run_id = $2 then $3::int8 else 0 end)
                    ) as p
                    order by q.run_id, p.sequence limit $5
                ) as found
            ) as j where before < $4 order by run_id, sequence
        """,
        readsOnly: true
    )

    public func loadJournals(
        _ runIDs: [RunID],
        after position: JournalPosition,
        byteLimit: Int
    ) throws(CommitError) -> JournalPage {
        let values: [PostgresValue] = [
            .array(Self.array(runIDs)), .uuid(high: position.runID.high, low: position.runID.low),
            .int64(position.sequence), .int64(Int64(byteLimit)), .int64(Self.pageRowLimit),
        ]
        let result = try query(Self.journals, values)
        let parts = (0..<result.rowCount).map { Self.part(result, $0) }
        let bytes = parts.reduce(0) { $0 + $1.byteCount }
        return JournalPage(parts: parts, isLast: bytes < byteLimit && parts.count < Self.pageRowLimit)
    }

    private static func part(_ rows: PostgresResult, _ row: Int) -> JournalPart {
        if rows.isNull(row, 5) { return .row(journal(rows, row)) }
        let id = rows.uuid(row, 0)
        return .snapshot(
            SnapshotRow(
                runID: RunID(high: id.0, low: id.1),
                sequence: rows.int64(row, 1),
                previousSequence: 0,
                format: Int16(truncatingIfNeeded: rows.int32(row, 5)),
                state: rows.bytes(row, 3)
            )
        )
    }

    private static let contains = PostgresStatement(
        "journal_contains",
        """
        select count(*) from (
            select from sagamore.snapshots where run_id = $1 and position($2::bytea in state) > 0
            union all
            select from sagamore.journal where run_id = $1 and position($2::bytea in facts) > 0
            limit 1) as found
        """,
        readsOnly: true
    )

    public func journalContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try doesContain(Self.contains, bytes, runID)
    }

    private static let historyContains = PostgresStatement(
        "history_contains",
        """
        select count(*) from (
            select from sagamore.journal where run_id = $1 and position($2::bytea in events) > 0
            limit 1) as found
        """,
        readsOnly: true
    )

    public func historyContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try doesContain(Self.historyContains, bytes, runID)
    }

    private func doesContain(
        _ statement: PostgresStatement,
        _ bytes: [UInt8],
        _ runID: RunID
    ) throws(CommitError) -> Bool {
        try query(statement, [.uuid(high: runID.high, low: runID.low), .bytes(bytes)]).int64(0, 0) != 0
    }

    private static let heartbeats = PostgresStatement(
        "load_heartbeats",
        """
        select run_id, scheduled_event_id, attempt, details, recorded_at from (
            select *, sum(length(details)) over (order by run_id, scheduled_event_id rows unbounded preceding)
                    - length(details) as before
                from (
                    select * from sagamore.heartbeats
                        where run_id = any($1::uuid[]) and (run_id, scheduled_event_id) > ($2, $3)
                        order by run_id, scheduled_event_id limit $5
                ) as found
            ) as h where before < $4 order by run_id, scheduled_event_id
        """,
        readsOnly: true
    )

    public func loadHeartbeats(
        _ runIDs: [RunID],
        after position: HeartbeatPosition,
        byteLimit: Int
    ) throws(CommitError) -> HeartbeatPage {
        let values: [PostgresValue] = [
            .array(Self.array(runIDs)), .uuid(high: position.runID.high, low: position.runID.low),
            .int64(position.scheduledEventID), .int64(Int64(byteLimit)), .int64(Self.pageRowLimit),
        ]
        let result = try query(Self.heartbeats, values)
        let rows = (0..<result.rowCount).map { row in
            let id = result.uuid(row, 0)
            return HeartbeatRow(
                runID: RunID(high: id.0, low: id.1),
                scheduledEventID: result.int64(row, 1),
                attempt: result.int32(row, 2),
                details: result.bytes(row, 3),
                recordedAt: Instant(nanoseconds: result.int64(row, 4))
            )
        }
        let bytes = rows.reduce(0) { $0 + $1.details.count }
        return HeartbeatPage(rows: rows, isLast: bytes < byteLimit && rows.count < Self.pageRowLimit)
    }

    /// A page has fewer events than this, and each row has at least one.
    private static let historyRowLimit: Int64 = 4_096

    /// A row's events begin at `first_event_id`, so the row that holds an event is the last one that begins no later.
    private static let history = PostgresStatement(
        "load_history",
        """
        select run_id, sequence, first_event_id, events, ''::bytea from (
            select *, sum(length(events)) over (order by sequence rows unbounded preceding) - length(events) as before
                from (
                    select run_id, sequence, first_event_id, events from sagamore.journal
                        where run_id = $1 and length(events) > 0 and sequence >= coalesce((
                            select max(sequence) from sagamore.journal
                            where run_id = $1 and first_event_id <= $2 and length(events) > 0), 0)
                        order by sequence limit $6
                ) as found
        ) as j where before < $3 and exists (
            select from sagamore.runs where run_id = $1 and namespace = $4 and workflow_id = $5 and status <> 0)
            order by sequence
        """,
        readsOnly: true
    )

    public func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        from eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        let values: [PostgresValue] = [
            .uuid(high: runID.high, low: runID.low), .int64(eventID), .int64(Int64(byteLimit)),
            .int32(workflow.namespace), .text(workflow.workflowID), .int64(Self.historyRowLimit),
        ]
        let rows = try query(Self.history, values)
        return (0..<rows.rowCount).map { Self.journal(rows, $0) }
    }

    private static let reversedHistory = PostgresStatement(
        "load_reversed_history",
        """
        select run_id, sequence, first_event_id, events, ''::bytea from (
            select *, sum(length(events)) over (order by sequence desc rows unbounded preceding) - length(events)
                    as before
                from (
                    select run_id, sequence, first_event_id, events from sagamore.journal
                        where run_id = $1 and length(events) > 0 and first_event_id <= $2
                        order by sequence desc limit $6
                ) as found
        ) as j where before < $3 and exists (
            select from sagamore.runs where run_id = $1 and namespace = $4 and workflow_id = $5 and status <> 0)
            order by sequence desc
        """,
        readsOnly: true
    )

    public func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        backFrom eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        let values: [PostgresValue] = [
            .uuid(high: runID.high, low: runID.low), .int64(eventID), .int64(Int64(byteLimit)),
            .int32(workflow.namespace), .text(workflow.workflowID), .int64(Self.historyRowLimit),
        ]
        let rows = try query(Self.reversedHistory, values)
        return (0..<rows.rowCount).map { Self.journal(rows, $0) }
    }
}
