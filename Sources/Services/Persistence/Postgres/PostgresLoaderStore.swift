internal import SagamoreAPI
public import SagamoreEngine
public import SagamorePostgresClient

/// The loader's side of PostgreSQL: reads in batches, one round trip each.
public final class PostgresLoaderStore: LoaderStore {
    private let connection: PostgresConnection

    /// A store that owns the connection.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let lookUp = PostgresStatement(
        "load_look_up",
        """
        select q.ordinal, c.found, r.run_id, r.workflow_type, r.task_queue, r.start_request_id, r.status, r.started_at,
            r.closed_at, r.history_length, r.history_bytes,
            (select alarm_at from sagamore.alarms where run_id = r.run_id)
            from unnest($1::int4[], $2::text[], $3::text[]) with ordinality
                as q(namespace, workflow_id, command_id, ordinal)
            left join lateral (
                select * from sagamore.runs where namespace = q.namespace and workflow_id = q.workflow_id
                order by run_id desc limit 1
            ) as r on true
            left join lateral (
                select true as found from sagamore.inbox
                where q.command_id <> '' and namespace = q.namespace and workflow_id = q.workflow_id
                    and command_id = q.command_id
            ) as c on true
            order by q.ordinal
        """,
        readsOnly: true
    )

    public func lookUp(_ questions: [LookUp]) throws(CommitError) -> [LookUpAnswer] {
        var namespaces = PostgresArray(of: .int32, capacity: questions.count)
        var workflowIDs = PostgresArray(of: .text, capacity: questions.count)
        var commandIDs = PostgresArray(of: .text, capacity: questions.count)
        for question in questions {
            namespaces.append(question.key.namespace)
            workflowIDs.append(question.key.workflowID)
            commandIDs.append(question.commandID)
        }
        let rows = try query(Self.lookUp, [.array(namespaces), .array(workflowIDs), .array(commandIDs)])
        return (0..<rows.rowCount).map { row in
            let run: RunRow? =
                rows.isNull(row, 2)
                ? nil
                : Self.run(rows, row, first: 2, key: questions[Int(rows.int64(row, 0)) - 1].key)
            let alarm = rows.isNull(row, 11) ? nil : Instant(nanoseconds: rows.int64(row, 11))
            return LookUpAnswer(run: run, isKnownCommand: !rows.isNull(row, 1), alarm: alarm)
        }
    }

    public func sliceTable() throws(CommitError) -> SliceTable {
        do throws(PostgresError) {
            return try SliceTable.read(connection)
        } catch {
            throw CommitError(error)
        }
    }

    private static let runs = PostgresStatement(
        "load_runs",
        """
        select namespace, workflow_id, run_id, workflow_type, task_queue, start_request_id, status, started_at,
            closed_at, history_length, history_bytes
            from sagamore.runs where run_id = any($1::uuid[])
        """,
        readsOnly: true
    )

    public func loadRuns(_ runIDs: [RunID]) throws(CommitError) -> [RunID: RunRow] {
        let rows = try query(Self.runs, [.array(Self.array(runIDs))])
        var runs: [RunID: RunRow] = [:]
        for row in 0..<rows.rowCount {
            let run = Self.run(rows, row, first: 2, key: Self.key(rows, row))
            runs[run.runID] = run
        }
        return runs
    }

    private static let resetRun = PostgresStatement(
        "load_reset_run",
        "select run_id from sagamore.resets where base_run_id = $1 order by run_id desc limit 1",
        readsOnly: true
    )

    public func resetRun(of runID: RunID) throws(CommitError) -> RunID? {
        let rows = try query(Self.resetRun, [.uuid(high: runID.high, low: runID.low)])
        guard rows.rowCount == 1 else { return nil }
        let found = rows.uuid(0, 0)
        return RunID(high: found.0, low: found.1)
    }

    private static let active = PostgresStatement(
        "load_active_runs",
        """
        select namespace, workflow_id, r.run_id, workflow_type, task_queue, start_request_id, status, started_at,
            closed_at, history_length, history_bytes
            from sagamore.alarms a join sagamore.slices s on s.slice = a.slice and s.shard = $1
            join sagamore.runs r on r.run_id = a.run_id
            where a.run_id > $2 and a.alarm_at is null order by a.run_id limit $3
        """,
        readsOnly: true
    )

    public func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow] {
        let after = runID ?? RunID(high: 0, low: 0)
        let values: [PostgresValue] = [.int32(shard), .uuid(high: after.high, low: after.low), .int64(Int64(limit))]
        let rows = try query(Self.active, values)
        return (0..<rows.rowCount).map { Self.run(rows, $0, first: 2, key: Self.key(rows, $0)) }
    }

    private static let parked = PostgresStatement(
        "load_parked_runs",
        """
        select namespace, workflow_id, r.run_id, workflow_type, task_queue, start_request_id, status, started_at,
            closed_at, history_length, history_bytes, a.alarm_at
            from sagamore.alarms a join sagamore.slices s on s.slice = a.slice and s.shard = $1
            join sagamore.runs r on r.run_id = a.run_id
            where a.alarm_at is not null and a.alarm_at < $2 and (a.alarm_at, a.run_id) > ($3, $4)
            order by a.alarm_at, a.run_id limit $5
        """,
        readsOnly: true
    )

    public func parkedRuns(
        shard: Int32,
        before instant: Instant,
        after last: (Instant, RunID)?,
        limit: Int
    ) throws(CommitError) -> [(RunRow, Instant)] {
        let (at, id) = last ?? (.distantPast, RunID(high: 0, low: 0))
        let values: [PostgresValue] = [
            .int32(shard), .int64(instant.nanoseconds), .int64(at.nanoseconds), .uuid(high: id.high, low: id.low),
            .int64(Int64(limit)),
        ]
        let rows = try query(Self.parked, values)
        return (0..<rows.rowCount).map { row in
            (
                Self.run(rows, row, first: 2, key: Self.key(rows, row)),
                Instant(nanoseconds: rows.int64(row, 11))
            )
        }
    }

    func query(
        _ statement: PostgresStatement,
        _ values: [PostgresValue]
    ) throws(CommitError) -> PostgresResult {
        do throws(PostgresError) {
            return try connection.query(statement, values)
        } catch {
            throw CommitError(error)
        }
    }

    static func array(_ runIDs: [RunID]) -> PostgresArray {
        var array = PostgresArray(of: .uuid, capacity: runIDs.count)
        for id in runIDs { array.append(uuidHigh: id.high, low: id.low) }
        return array
    }

    static func key(_ rows: PostgresResult, _ row: Int) -> WorkflowKey {
        WorkflowKey(namespace: rows.int32(row, 0), workflowID: rows.text(row, 1))
    }

    static func run(_ rows: PostgresResult, _ row: Int, first: Int, key: WorkflowKey) -> RunRow {
        let id = rows.uuid(row, first)
        return RunRow(
            runID: RunID(high: id.0, low: id.1),
            key: key,
            workflowType: rows.text(row, first + 1),
            taskQueue: rows.text(row, first + 2),
            startRequestID: rows.text(row, first + 3),
            status: WorkflowExecutionStatus(rawValue: Int32(rows.int64(row, first + 4))),
            startedAt: Instant(nanoseconds: rows.int64(row, first + 5)),
            closedAt: rows.optionalInt64(row, first + 6).map { Instant(nanoseconds: $0) },
            historyLength: rows.int64(row, first + 7),
            historyBytes: rows.int64(row, first + 8)
        )
    }

    static func journal(_ rows: PostgresResult, _ row: Int) -> JournalRow {
        let id = rows.uuid(row, 0)
        return JournalRow(
            runID: RunID(high: id.0, low: id.1),
            sequence: rows.int64(row, 1),
            firstEventID: rows.int64(row, 2),
            events: rows.bytes(row, 3),
            facts: rows.bytes(row, 4)
        )
    }
}
