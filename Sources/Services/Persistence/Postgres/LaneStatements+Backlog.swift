internal import SagamoreEngine
internal import SagamorePostgresClient

extension LaneStatements {
    private static let storeBacklog = PostgresStatement(
        "lane_store_backlog",
        """
        insert into sagamore.backlog (slice, run_id, task, queue, since, priority, place)
            select r.slice, c.run_id, task, queue, since, priority, place
                from unnest($1::uuid[], $2::int8[], $3::text[], $4::int8[], $5::int8[], $6::int8[])
                    as c(run_id, task, queue, since, priority, place)
                join sagamore.runs r on r.run_id = c.run_id
            on conflict (run_id, task) do update set queue = excluded.queue, since = excluded.since,
                priority = excluded.priority, place = case when backlog.queue = excluded.queue
                    then least(backlog.place, excluded.place) else excluded.place end
        """
    )
    private static let removeBacklog = PostgresStatement(
        "lane_remove_backlog",
        """
        delete from sagamore.backlog as b using unnest($1::uuid[], $2::int8[], $3::text[]) as c(run_id, task, queue)
            where b.run_id = c.run_id and b.task = c.task and b.queue = c.queue
        """
    )
    private static let endBacklogs = PostgresStatement(
        "lane_end_backlogs",
        "delete from sagamore.backlog where run_id = any($1::uuid[])"
    )

    /// Runs after the insert of new runs: a backlog row gets its slice from its run.
    static func append(backlog: [BacklogChange], ended: [RunID], to statements: inout PostgresBatch) {
        if !ended.isEmpty {
            statements.append(endBacklogs, [.array(PostgresLoaderStore.array(ended))])
        }
        guard !backlog.isEmpty else { return }
        var removed = BacklogColumns()
        var stored = BacklogColumns()
        for change in backlog {
            switch change {
            case .store(let row): stored.append(row)
            case .remove(let row): removed.append(row)
            }
        }
        if removed.runIDs.count > 0 {
            let values: [PostgresArray] = [removed.runIDs, removed.tasks, removed.queues]
            statements.append(removeBacklog, values.map { .array($0) })
        }
        if stored.runIDs.count > 0 {
            let values: [PostgresArray] = [
                stored.runIDs, stored.tasks, stored.queues, stored.since, stored.priorities, stored.places,
            ]
            statements.append(storeBacklog, values.map { .array($0) }, changing: stored.runIDs.count)
        }
    }

    private struct BacklogColumns {
        var runIDs = PostgresArray(of: .uuid)
        var tasks = PostgresArray(of: .int64)
        var queues = PostgresArray(of: .text)
        var since = PostgresArray(of: .int64)
        var priorities = PostgresArray(of: .int64)
        var places = PostgresArray(of: .int64)

        mutating func append(_ row: BacklogRow) {
            runIDs.append(uuidHigh: row.key.runID.high, low: row.key.runID.low)
            tasks.append(row.key.task)
            queues.append(row.queue)
            since.append(row.since.nanoseconds)
            priorities.append(Int64(row.priority))
            places.append(row.place)
        }
    }
}
