internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePostgresClient
internal import SagamoreProtobuf
internal import SagamoreServices

/// Batches as rows. Connections are made when they are needed: batches are rare. Blocks.
struct PostgresBatchStore: Sendable {
    private let connect: @Sendable () throws(PostgresError) -> PostgresConnection

    /// - Parameter url: where the migrated database is, as libpq reads it.
    init(url: String) {
        connect = { () throws(PostgresError) in
            try PostgresConnection(url, applicationName: "sagamore batches")
        }
    }

    /// Stores a batch that begins.
    ///
    /// - Parameter limit: how many may run in a namespace.
    /// - Throws: `alreadyExists` for a job id that is known, `resourceExhausted` while as many run as may.
    func insert(_ job: BatchJob, limit: Int) throws(RequestError) {
        let outcome = try attempt { (connection) throws(PostgresError) in
            var batch = PostgresBatch()
            batch.append(Statements.lock)
            batch.append(
                Statements.insert,
                [
                    .int32(job.namespace), .text(job.id), .int64(job.startedAt.nanoseconds), .int64(job.total),
                    .bytes(job.request.serializedBytes()), .int64(Int64(limit)),
                ]
            )
            let results = try connection.transaction(batch)
            return (results[1].bool(0, 0), results[1].bool(0, 1))
        }
        let (isKnown, isFull) = outcome
        if isKnown {
            throw RequestError(.alreadyExists, "Batch operation with job ID \(job.id) is already started")
        }
        if isFull {
            throw RequestError(
                .resourceExhausted,
                "Max concurrent batch operations is reached",
                detail: .tooMuch(isConcurrent: true, retryAfterMilliseconds: 1_000)
            )
        }
    }

    /// The batch with this id; nil if there is none.
    func load(_ id: String, namespace: Int32) throws(RequestError) -> BatchJob? {
        try attempt { (connection) throws(PostgresError) in
            Self.jobs(try connection.query(Statements.load, [.int32(namespace), .text(id)])).first
        }
    }

    /// All batches that run, the oldest first.
    func running() throws(RequestError) -> [BatchJob] {
        try attempt { (connection) throws(PostgresError) in Self.jobs(try connection.query(Statements.running)) }
    }

    /// The newest batches that began before another one.
    func list(
        namespace: Int32,
        before last: (startedAt: Instant, id: String)?,
        limit: Int
    ) throws(RequestError) -> [BatchJob] {
        try attempt { (connection) throws(PostgresError) in
            let values: [PostgresValue] = [
                .int32(namespace), .int64(last?.startedAt.nanoseconds ?? .max), .text(last?.id ?? ""),
                .int64(Int64(limit)),
            ]
            return Self.jobs(try connection.query(Statements.list, values))
        }
    }

    /// Stores how far a batch is, unless it was stopped meanwhile.
    ///
    /// - Returns: whether it still ran.
    func save(_ job: BatchJob) throws(RequestError) -> Bool {
        try attempt { (connection) throws(PostgresError) in
            let values: [PostgresValue] = [
                .int32(job.namespace), .text(job.id), .int32(job.state.rawValue),
                job.closedAt.map { .int64($0.nanoseconds) } ?? .null, .int64(job.total), .int64(job.completed),
                .int64(job.failed), .bytes(job.cursor), .text(job.ending),
            ]
            return try connection.query(Statements.save, values).affectedRows == 1
        }
    }

    /// Ends a batch that runs. How far it is stays as it was stored last.
    ///
    /// - Returns: whether it ran.
    func stop(_ id: String, namespace: Int32, at now: Instant, reason: String) throws(RequestError) -> Bool {
        try attempt { (connection) throws(PostgresError) in
            let values: [PostgresValue] = [
                .int32(namespace), .text(id), .int32(BatchOperationState.failed.rawValue), .int64(now.nanoseconds),
                .text(reason),
            ]
            return try connection.query(Statements.stop, values).affectedRows == 1
        }
    }

    /// Deletes what ended longer ago than its namespace keeps runs.
    func deleteOld(at now: Instant) throws(RequestError) {
        try attempt { (connection) throws(PostgresError) in
            _ = try connection.query(Statements.deleteOld, [.int64(now.nanoseconds)])
        }
    }

    private static func jobs(_ rows: PostgresResult) -> [BatchJob] {
        (0..<rows.rowCount).compactMap { row in
            guard let request = try? StartBatchOperationRequest(serializedBytes: rows.bytes(row, 9)) else { return nil }
            var job = BatchJob(
                namespace: rows.int32(row, 0),
                id: rows.text(row, 1),
                request: request,
                startedAt: Instant(nanoseconds: rows.int64(row, 2))
            )
            job.closedAt = rows.optionalInt64(row, 3).map { Instant(nanoseconds: $0) }
            job.state = BatchOperationState(rawValue: rows.int32(row, 4))
            job.total = rows.int64(row, 5)
            job.completed = rows.int64(row, 6)
            job.failed = rows.int64(row, 7)
            job.cursor = rows.bytes(row, 8)
            job.ending = rows.text(row, 10)
            return job
        }
    }

    private func attempt<Value>(
        _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(RequestError) -> Value {
        do throws(PostgresError) {
            let connection = try connect()
            defer { connection.close() }
            return try body(connection)
        } catch {
            if error.isDataError { throw .invalidArgument("the batch cannot be stored: \(error.message)") }
            if error.isTransient || error.code == .outcomeUnknown {
                throw .unavailable("failed to reach the batches: \(error.message)")
            }
            throw RequestError(.internalError, "failed to read or write batches: \(error)")
        }
    }
}

private enum Statements {
    private static let columns = """
        namespace, job_id, started_at, closed_at, state::int, total, completed, failed, cursor, request, ending
        """

    /// One batch is begun at a time, so that no two see room for one.
    static let lock = PostgresStatement("batch_lock", "select pg_advisory_xact_lock(7233823303)")
    static let insert = PostgresStatement(
        "batch_insert",
        """
        with known as (
            select exists (select from sagamore.batches where namespace = $1 and job_id = $2) as is_known,
                (select count(*) from sagamore.batches where namespace = $1 and state = 1) >= $6::bigint as is_full
        ), added as (
            insert into sagamore.batches (namespace, job_id, started_at, total, request)
                select $1, $2, $3, $4, $5 from known where not is_known and not is_full
        )
        select is_known, is_full from known
        """
    )
    static let load = PostgresStatement(
        "batch_load",
        "select \(columns) from sagamore.batches where namespace = $1 and job_id = $2",
        readsOnly: true
    )
    static let running = PostgresStatement(
        "batch_running",
        "select \(columns) from sagamore.batches where state = 1 order by started_at",
        readsOnly: true
    )
    static let list = PostgresStatement(
        "batch_list",
        """
        select \(columns) from sagamore.batches where namespace = $1 and (started_at, job_id) < ($2, $3)
            order by started_at desc, job_id desc limit $4
        """,
        readsOnly: true
    )
    static let save = PostgresStatement(
        "batch_save",
        """
        update sagamore.batches set state = $3::int, closed_at = $4, total = $5, completed = $6, failed = $7,
            cursor = $8, ending = $9 where namespace = $1 and job_id = $2 and state = 1
        """
    )
    static let stop = PostgresStatement(
        "batch_stop",
        """
        update sagamore.batches set state = $3::int, closed_at = $4, ending = $5
            where namespace = $1 and job_id = $2 and state = 1
        """
    )
    static let deleteOld = PostgresStatement(
        "batch_delete_old",
        """
        delete from sagamore.batches b where closed_at < $1::bigint - coalesce(
            (select retention from sagamore.namespaces n where n.number = b.namespace), 0)
        """
    )
}
