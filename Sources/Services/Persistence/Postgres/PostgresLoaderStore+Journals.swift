public import SagamoreEngine
internal import SagamorePostgresClient

extension PostgresLoaderStore {
    /// Rows that are looked at for a page, however small they are.
    private static let pageRowLimit: Int64 = 50_000

    /// Lengths of bytes are known without reading those that are stored apart.
    private static let journals = PostgresStatement(
        "load_journals",
        """
        select run_id, sequence, first_event_id, events, facts from (
            select *, sum(length(events) + length(facts)) over (order by run_id, sequence rows unbounded preceding)
                    - length(events) - length(facts) as before
                from (
                    select run_id, sequence, first_event_id, events, facts from sagamore.journal
                        where run_id = any($1::uuid[]) and (run_id, sequence) > ($2, $3)
                        order by run_id, sequence limit $5
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
        let rows = (0..<result.rowCount).map { Self.journal(result, $0) }
        let bytes = rows.reduce(0) { $0 + $1.events.count + $1.facts.count }
        return JournalPage(rows: rows, isLast: bytes < byteLimit && rows.count < Self.pageRowLimit)
    }

    private static let contains = PostgresStatement(
        "journal_contains",
        """
        select count(*) from (select from sagamore.journal
            where run_id = $1 and (position($2::bytea in facts) > 0 or position($2::bytea in events) > 0)
            limit 1) as found
        """,
        readsOnly: true
    )

    public func journalContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        let values: [PostgresValue] = [.uuid(high: runID.high, low: runID.low), .bytes(bytes)]
        return try query(Self.contains, values).int64(0, 0) != 0
    }
}
