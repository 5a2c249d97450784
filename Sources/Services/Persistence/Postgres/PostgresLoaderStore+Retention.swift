public import SagamoreEngine
internal import SagamorePostgresClient

extension PostgresLoaderStore {
    private static let shortestRetention = PostgresStatement(
        "retention_shortest",
        "select coalesce(min(retention), 0) from sagamore.namespaces",
        readsOnly: true
    )
    /// Run ids are in order of their start, so that nothing younger than the shortest retention is looked at.
    private static let deleteRuns = PostgresStatement(
        "retention_delete_runs",
        """
        with old as (
            select r.run_id from sagamore.runs r join sagamore.namespaces n on n.number = r.namespace
            where r.shard = $1 and r.run_id > $2 and r.run_id < $3 and r.closed_at < $4 - n.retention
            order by r.run_id limit $5
        ), journal as (
            delete from sagamore.journal j using old where j.run_id = old.run_id
        ), heartbeats as (
            delete from sagamore.heartbeats h using old where h.run_id = old.run_id
        ), runs as (
            delete from sagamore.runs r using old where r.run_id = old.run_id
        )
        select run_id from old order by run_id
        """
    )
    private static let deleteInbox = PostgresStatement(
        "retention_delete_inbox",
        """
        delete from sagamore.inbox where ctid = any(array(
            select ctid from sagamore.inbox where received_at < $1 limit $2))
        """
    )

    public func deleteExpired(
        shard: Int32,
        after runID: RunID?,
        now: Instant,
        inboxRetention: Interval,
        limit: Int
    ) throws(CommitError) -> RetentionStep {
        let inboxBefore = now.nanoseconds - inboxRetention.nanoseconds
        let traces = try query(Self.deleteInbox, [.int64(inboxBefore), .int64(Int64(limit))]).affectedRows
        let isMore = traces == limit
        let shortest = try query(Self.shortestRetention, []).int64(0, 0)
        guard shortest > 0 else { return RetentionStep(nextRun: nil, isMore: isMore) }
        let after = runID ?? RunID(high: 0, low: 0)
        let end = RunID(at: Instant(nanoseconds: now.nanoseconds - shortest), random: (0, 0))
        let values: [PostgresValue] = [
            .int32(shard), .uuid(high: after.high, low: after.low), .uuid(high: end.high, low: end.low),
            .int64(now.nanoseconds), .int64(Int64(limit)),
        ]
        let rows = try query(Self.deleteRuns, values)
        guard rows.rowCount == limit else { return RetentionStep(nextRun: nil, isMore: isMore) }
        let last = rows.uuid(rows.rowCount - 1, 0)
        return RetentionStep(nextRun: RunID(high: last.0, low: last.1), isMore: true)
    }
}
