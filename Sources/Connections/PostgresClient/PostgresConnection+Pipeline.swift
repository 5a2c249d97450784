internal import CSagamorePostgres

extension PostgresConnection {
    private static let begin = PostgresStatement("_begin", "BEGIN")
    private static let commit = PostgresStatement("_commit", "COMMIT")
    private static let rollback = PostgresStatement("_rollback", "ROLLBACK", readsOnly: true)

    /// The size limit of a statement: PostgreSQL closes the connection on messages over 1 GiB.
    private static let largestStatement = 1_000_000_000
    /// libpq's buffer is flushed after this many bytes.
    private static let flushThreshold = 256 * 1024

    /// Runs one statement, in its own transaction unless one is open.
    ///
    /// - Throws: `.server`; `.connectionLost` when it had no effect (always for read-only statements),
    ///   `.outcomeUnknown` when it may have had one.
    public func query(
        _ statement: PostgresStatement,
        _ values: [PostgresValue] = []
    ) throws(PostgresError) -> PostgresResult {
        var batch = PostgresBatch()
        batch.append(statement, values)
        do throws(PostgresError) {
            return try run(batch, isTransaction: false)[0]
        } catch {
            var error = error
            error.statementIndex = nil
            throw error
        }
    }

    /// Runs BEGIN, the statements and COMMIT in one pipeline with one round trip. Returns a result per statement.
    ///
    /// - Throws: `.server` with `statementIndex` (everything was rolled back, the connection stays usable);
    ///   `.connectionLost` (nothing was committed); `.outcomeUnknown` (the connection was lost after COMMIT was sent);
    ///   `.usage` when a transaction is already open.
    public func transaction(_ batch: PostgresBatch) throws(PostgresError) -> [PostgresResult] {
        try run(batch, isTransaction: true)
    }

    private func run(_ batch: PostgresBatch, isTransaction: Bool) throws(PostgresError) -> [PostgresResult] {
        try check(batch)
        let handle = try openHandle()
        if isTransaction, PQtransactionStatus(handle) != PQTRANS_IDLE {
            throw PostgresError(.usage, "a transaction is already open on this connection")
        }
        if PQpipelineStatus(handle) == PQ_PIPELINE_OFF, PQenterPipelineMode(handle) == 0 {
            throw failed(handle)
        }
        var progress = PipelineProgress(
            isTransaction: isTransaction,
            readsOnly: batch.items.allSatisfy(\.statement.readsOnly),
            expecting: batch.count + 4
        )
        var preparing: [String] = []
        var results: [PostgresResult] = []
        results.reserveCapacity(batch.count)
        var lost: PostgresError?
        if send(batch, handle, &progress, &preparing) {
            lost = receive(handle, &progress, &preparing, &results)
        } else {
            // The server's last answer is more useful than the failed write. libpq then keeps only the answer to the
            // current step, so an error may be missing, but never a commit.
            lost = PQstatus(handle) == CONNECTION_OK ? failed(handle) : receive(handle, &progress, &preparing, &results)
            lost = lost ?? failed(handle)
        }
        for name in preparing { prepared[name] = nil }
        let outcome = progress.outcome(lost: lost)
        if lost != nil {
            close()
        } else if isTransaction, outcome != nil {
            rollBack(handle)
        }
        if let outcome { throw outcome }
        return results
    }

    /// Rejects batches that would break the connection, or fail later with an ambiguous error.
    private func check(_ batch: PostgresBatch) throws(PostgresError) {
        for (index, item) in batch.items.enumerated() {
            if let sql = prepared[item.statement.name], sql != item.statement.sql {
                throw PostgresError(
                    .usage,
                    "the statement name \(item.statement.name) is already used for other SQL",
                    statementIndex: index
                )
            }
            // libpq's limits. Oversized values count as data errors: SQLSTATE 54000, program limit exceeded.
            if item.values.count > 65_535 || item.values.byteCount > Self.largestStatement {
                throw PostgresError(
                    .usage,
                    "a statement has too many or too large values",
                    sqlState: "54000",
                    statementIndex: index
                )
            }
        }
    }

    /// Sends everything. Returns false when the connection failed.
    private func send(
        _ batch: PostgresBatch,
        _ handle: OpaquePointer,
        _ progress: inout PipelineProgress,
        _ preparing: inout [String]
    ) -> Bool {
        if progress.isTransaction {
            guard send(Self.begin, [], .begin, handle, &progress, &preparing) else { return false }
        }
        var unsent = 0
        for (index, item) in batch.items.enumerated() {
            guard send(item.statement, item.values, .execute(index), handle, &progress, &preparing) else {
                return false
            }
            unsent += item.values.byteCount
            if unsent > Self.flushThreshold {
                guard flush(handle) else { return false }
                unsent = 0
            }
        }
        if progress.isTransaction {
            guard send(Self.commit, [], .commit, handle, &progress, &preparing) else { return false }
        }
        // This also flushes. The rest is sent while waiting for results.
        return PQpipelineSync(handle) == 1
    }

    private func send(
        _ statement: PostgresStatement,
        _ values: [PostgresValue],
        _ step: PipelineProgress.Step,
        _ handle: OpaquePointer,
        _ progress: inout PipelineProgress,
        _ preparing: inout [String]
    ) -> Bool {
        if prepared[statement.name] == nil {
            if case .execute(let index) = step {
                progress.handOver(.prepare(index))
            } else {
                progress.handOver(.prepare(nil))
            }
            if !statement.name.isEmpty { prepared[statement.name] = statement.sql }
            preparing.append(statement.name)
            guard PQsendPrepare(handle, statement.name, statement.sql, 0, nil) == 1 else { return false }
        }
        progress.handOver(step)
        return binder.bind(values) {
            PQsendQueryPrepared(
                handle,
                statement.name,
                Int32(values.count),
                binder.pointers,
                binder.lengths,
                binder.formats,
                1
            )
        } == 1
    }

    /// Reads all answers. Returns an error when the connection was lost.
    private func receive(
        _ handle: OpaquePointer,
        _ progress: inout PipelineProgress,
        _ preparing: inout [String],
        _ results: inout [PostgresResult]
    ) -> PostgresError? {
        var isAnswered = true
        while true {
            guard let result = nextResult(handle) else {
                // nil ends the results of a step. A second nil in a row means that libpq has no more results.
                if !isAnswered { return failed(handle) }
                isAnswered = false
                if progress.current != nil { progress.advance() }
                continue
            }
            isAnswered = true
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                PQclear(result)
                return nil
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                if case .prepare = progress.current { preparing.removeFirst() }
                let isCommit = progress.current == .commit && String(cString: PQcmdStatus(result)) == "COMMIT"
                progress.received(.done(isCommit: isCommit))
                if case .execute = progress.current {
                    results.append(PostgresResult(result))
                } else {
                    PQclear(result)
                }
            case PGRES_PIPELINE_ABORTED:
                progress.received(.skipped)
                PQclear(result)
            case PGRES_FATAL_ERROR:
                let refusal = ServerRefusal(result)
                PQclear(result)
                guard let refusal else { return failed(handle) }
                progress.received(.refused(refusal.error, isFatal: refusal.isFatal))
            default:
                PQclear(result)
                return PostgresError(.usage, "COPY is not supported")
            }
        }
    }

    /// Ends a transaction after a rejected statement.
    private func rollBack(_ handle: OpaquePointer) {
        guard PQtransactionStatus(handle) != PQTRANS_IDLE else { return }
        var batch = PostgresBatch()
        batch.append(Self.rollback)
        _ = try? run(batch, isTransaction: false)
        if let handle = self.handle, PQtransactionStatus(handle) != PQTRANS_IDLE { close() }
    }

    private func failed(_ handle: OpaquePointer) -> PostgresError { lost(errorMessage(handle)) }
}
