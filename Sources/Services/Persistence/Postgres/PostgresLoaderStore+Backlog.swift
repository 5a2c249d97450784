internal import SagamoreEngine
internal import SagamorePostgresClient

extension PostgresLoaderStore {
    /// A closed run has no task to offer.
    private static let waitingTasks = PostgresStatement(
        "load_waiting_tasks",
        """
        select namespace, workflow_id, r.run_id, workflow_type, task_queue, start_request_id, status, started_at,
            closed_at, history_length, history_bytes, b.task, b.since, b.priority, b.place
            from sagamore.backlog b join sagamore.slices s on s.slice = b.slice and s.shard = $1
            join sagamore.runs r on r.run_id = b.run_id
            where b.queue = $2 and r.closed_at is null order by b.priority, b.place limit $3
        """,
        readsOnly: true
    )

    public func waitingTasks(
        shard: Int32,
        queue: String,
        limit: Int
    ) throws(CommitError) -> [(run: RunRow, row: BacklogRow)] {
        let rows = try query(Self.waitingTasks, [.int32(shard), .text(queue), .int64(Int64(limit))])
        return (0..<rows.rowCount).map { number in
            let run = Self.run(rows, number, first: 2, key: Self.key(rows, number))
            let key = BacklogRow.Key(runID: run.runID, task: rows.int64(number, 11))
            let since = Instant(nanoseconds: rows.int64(number, 12))
            let priority = Int8(clamping: rows.int64(number, 13))
            let place = rows.int64(number, 14)
            return (run, BacklogRow(key: key, queue: queue, since: since, priority: priority, place: place))
        }
    }

    private static let waitingQueues = PostgresStatement(
        "load_waiting_queues",
        """
        select distinct queue from sagamore.backlog b join sagamore.slices s on s.slice = b.slice and s.shard = $1
        """,
        readsOnly: true
    )

    public func waitingQueues(shard: Int32) throws(CommitError) -> [String] {
        let rows = try query(Self.waitingQueues, [.int32(shard)])
        return (0..<rows.rowCount).map { rows.text($0, 0) }
    }
}
