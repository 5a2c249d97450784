internal import CSagamorePostgres

extension PostgresConnection {
    /// Runs one or several SQL statements without parameters and results: schema changes, BEGIN, SET.
    ///
    /// Several statements form one transaction unless the text itself begins and ends transactions.
    ///
    /// - Throws: `.server`; `.connectionLost` before anything was sent, `.outcomeUnknown` afterwards.
    public func execute(_ sql: String) throws(PostgresError) {
        let handle = try openHandle()
        if PQpipelineStatus(handle) != PQ_PIPELINE_OFF, PQexitPipelineMode(handle) == 0 {
            let error = lost(errorMessage(handle))
            close()
            throw error
        }
        var refusal: PostgresError?
        guard PQsendQuery(handle, sql) == 1 else {
            var error = lost(errorMessage(handle))
            close()
            error.code = .outcomeUnknown
            throw error
        }
        while let result = nextResult(handle) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
            case PGRES_FATAL_ERROR: refusal = refusal ?? refused(ServerRefusal(result), handle)
            default:
                close()
                throw PostgresError(.usage, "COPY is not supported")
            }
        }
        if PQstatus(handle) != CONNECTION_OK { close() }
        if let refusal { throw refusal }
    }

    private func refused(_ refusal: ServerRefusal?, _ handle: OpaquePointer) -> PostgresError {
        var error = refusal?.error ?? lost(errorMessage(handle))
        if refusal?.isFatal ?? true { error.code = .outcomeUnknown }
        return error
    }
}
