internal import CSagamorePostgres

extension PostgresConnection {
    private static let begin = PostgresStatement("_begin", "BEGIN")
    private static let commit = PostgresStatement("_commit", "COMMIT")
    private static let rollback = PostgresStatement("_rollback", "ROLLBACK", readsOnly: true)

    /// PostgreSQL refuses a message over 1 GiB by closing the connection; more than that is refused here.
    private static let largestStatement = 1_000_000_000
    /// After so many bytes libpq's buffer is emptied before the next statement is put in.
    private static let flushThreshold = 256 * 1024

    /// Runs one statement, in a transaction of its own unless one is open.
    ///
    /// - Throws: `.server`; `.connectionLost` when it can't have happened (a statement that only reads never
    ///   "happens"), `.outcomeUnknown` when it may have.
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

    /// BEGIN, the statements, COMMIT, in one pipeline and one round trip; a result for each statement.
    ///
    /// - Throws: `.server` with `statementIndex` (everything is rolled back, the connection can be used again);
    ///   `.connectionLost` (nothing was committed); `.outcomeUnknown` (the connection was lost with the COMMIT on its
    ///   way); `.usage` when a transaction is open already.
    public func transaction(_ batch: PostgresBatch) throws(PostgresError) -> [PostgresResult] {
        try run(batch, isTransaction: true)
    }

    private func run(_ batch: PostgresBatch, isTransaction: Bool) throws(PostgresError) -> [PostgresResult] {
        try check(batch)
        let handle = try openHandle()
        if isTransaction, PQtransactionStatus(handle) != PQTRANS_IDLE {
            throw PostgresError(.usage, "a transaction is open on this connection already")
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
            // What the server said before it hung up tells more than the failed write. libpq keeps only the answer to
            // the current step then, so a reason may be missing, never a commit.
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

    /// Finds the mistakes that would cost the connection or could not be told from others later.
    private func check(_ batch: PostgresBatch) throws(PostgresError) {
        for (index, item) in batch.items.enumerated() {
            if let sql = prepared[item.statement.name], sql != item.statement.sql {
                throw PostgresError(
                    .usage,
                    "the name \(item.statement.name) stands for another statement",
                    statementIndex: index
                )
            }
            // libpq's own limit; and what does not fit is the data's fault, SQLSTATE 54000 (program limit exceeded).
            if item.values.count > 65_535 || item.values.byteCount > Self.largestStatement {
                throw PostgresError(
                    .usage,
                    "the values of a statement are too large or too many",
                    sqlState: "54000",
                    statementIndex: index
                )
            }
        }
    }

    /// Hands everything over. False when the connection failed on the way.
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
        // This flushes too; what does not fit is sent while results are awaited.
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
            prepared[statement.name] = statement.sql
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

    /// Reads all answers. Returns what was lost when the connection did not survive.
    private func receive(
        _ handle: OpaquePointer,
        _ progress: inout PipelineProgress,
        _ preparing: inout [String],
        _ results: inout [PostgresResult]
    ) -> PostgresError? {
        var isAnswered = true
        while true {
            guard let result = nextResult(handle) else {
                // A step's results end with nil; a nil without any before it is libpq's word that there is nothing
                // more.
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
                return PostgresError(.usage, "a statement of this kind (COPY?) can't run here")
            }
        }
    }

    /// After a refused statement the server waits for the transaction's end.
    private func rollBack(_ handle: OpaquePointer) {
        guard PQtransactionStatus(handle) != PQTRANS_IDLE else { return }
        var batch = PostgresBatch()
        batch.append(Self.rollback)
        _ = try? run(batch, isTransaction: false)
        if let handle = self.handle, PQtransactionStatus(handle) != PQTRANS_IDLE { close() }
    }

    private func failed(_ handle: OpaquePointer) -> PostgresError { lost(errorMessage(handle)) }
}
