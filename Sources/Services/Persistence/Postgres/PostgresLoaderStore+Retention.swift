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
        ), resets as (
            delete from sagamore.resets t using old where t.run_id = old.run_id
        ), found as (
            delete from sagamore.search_values v using old where v.run_id = old.run_id
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

    /// A run that has an alarm owes something, and stays until it does not. A run is done when no row of its journal is
    /// left behind those that are deleted now.
    private static let erase = PostgresStatement(
        "retention_erase_deleted",
        """
        with waiting as (
            select d.run_id from sagamore.deletions d join sagamore.slices s on s.slice = d.slice and s.shard = $1
            where not exists (select from sagamore.alarms a where a.run_id = d.run_id)
            order by d.run_id limit $2
        ), found as (
            select w.run_id, j.sequence, j.bytes from waiting w cross join lateral (
                select sequence, length(events) + length(facts) as bytes from sagamore.journal
                where run_id = w.run_id order by sequence limit $3
            ) as j order by w.run_id, j.sequence limit $3
        ), chosen as (
            select run_id, sequence from (
                select *, sum(bytes) over (order by run_id, sequence rows unbounded preceding) - bytes as before
                from found
            ) as f where before < $4
        ), journal as (
            delete from sagamore.journal j using chosen c where j.run_id = c.run_id and j.sequence = c.sequence
        ), done as (
            select w.run_id from waiting w where not exists (
                select from sagamore.journal j where j.run_id = w.run_id
                    and j.sequence > coalesce((select max(sequence) from chosen c where c.run_id = w.run_id), -1))
        ), snapshots as (
            delete from sagamore.snapshots s using done where s.run_id = done.run_id
        ), heartbeats as (
            delete from sagamore.heartbeats h using done where h.run_id = done.run_id
        ), resets as (
            delete from sagamore.resets t using done where t.run_id = done.run_id
        ), searched as (
            delete from sagamore.search_values v using done where v.run_id = done.run_id
        ), deletions as (
            delete from sagamore.deletions d using done where d.run_id = done.run_id
        )
        select (select count(*) from waiting), (select count(*) from done)
        """
    )

    public func eraseDeletedRuns(shard: Int32, limit: ErasureLimit) throws(CommitError) -> Bool {
        let values: [PostgresValue] = [
            .int32(shard), .int64(Int64(limit.runs)), .int64(Int64(limit.rows)), .int64(Int64(limit.bytes)),
        ]
        let rows = try query(Self.erase, values)
        let (waiting, done) = (rows.int64(0, 0), rows.int64(0, 1))
        return waiting == limit.runs || done < waiting
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
