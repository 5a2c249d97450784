public import SagamoreEngine
internal import SagamorePostgresClient

extension PostgresLoaderStore {
    private static let retentions = PostgresStatement(
        "retention_namespaces",
        "select number, retention from sagamore.namespaces",
        readsOnly: true
    )

    public func retentions() throws(CommitError) -> [Int32: Interval] {
        let rows = try query(Self.retentions, [])
        var retentions: [Int32: Interval] = [:]
        for row in 0..<rows.rowCount {
            retentions[rows.int32(row, 0)] = Interval(nanoseconds: rows.int64(row, 1))
        }
        return retentions
    }

    /// A closed run that has an alarm owes something, and stays.
    ///
    /// Run ids are in order of their start: a window of them is a part of the primary key.
    private static let deleteRuns = PostgresStatement(
        "retention_delete_runs",
        """
        with old as (
            select run_id from sagamore.runs r join sagamore.slices s on s.slice = r.slice and s.shard = $1
            where run_id > $3 and run_id < $4 and namespace = any($2::int4[]) and closed_at < $5
                and not exists (select from sagamore.alarms a where a.run_id = r.run_id)
            order by run_id limit $6
        ), journal as (
            delete from sagamore.journal j using old where j.run_id = old.run_id
        ), snapshots as (
            delete from sagamore.snapshots s using old where s.run_id = old.run_id
        ), heartbeats as (
            delete from sagamore.heartbeats h using old where h.run_id = old.run_id
        ), runs as (
            delete from sagamore.runs r using old where r.run_id = old.run_id
        )
        select run_id from old order by run_id
        """
    )

    public func deleteRuns(
        shard: Int32,
        of namespaces: [Int32],
        closedBefore: Instant,
        after first: RunID,
        before end: RunID,
        limit: Int
    ) throws(CommitError) -> RunID? {
        var numbers = PostgresArray(of: .int32, capacity: namespaces.count)
        for number in namespaces { numbers.append(number) }
        let values: [PostgresValue] = [
            .int32(shard), .array(numbers), .uuid(high: first.high, low: first.low),
            .uuid(high: end.high, low: end.low), .int64(closedBefore.nanoseconds), .int64(Int64(limit)),
        ]
        let rows = try query(Self.deleteRuns, values)
        guard rows.rowCount == limit else { return nil }
        let last = rows.uuid(rows.rowCount - 1, 0)
        return RunID(high: last.0, low: last.1)
    }

    private static let deleteTraces = PostgresStatement(
        "retention_delete_inbox",
        """
        delete from sagamore.inbox where ctid = any(array(
            select ctid from sagamore.inbox where received_at < $1 limit $2))
        """
    )

    public func deleteTraces(before instant: Instant, limit: Int) throws(CommitError) -> Int {
        try query(Self.deleteTraces, [.int64(instant.nanoseconds), .int64(Int64(limit))]).affectedRows
    }
}
