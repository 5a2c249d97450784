internal import CSagamorePostgres

/// A session with a PostgreSQL server, used by the one thread that owns it. Every call blocks.
///
/// A lost connection stays lost until `reconnect()`. Statements are prepared by name in the session, so a pooler that
/// shares sessions between transactions (PgBouncer's transaction mode) does not work in between.
public final class PostgresConnection {
    let parameters: ConnectionParameters
    let binder = ParameterBinder()
    /// libpq's connection; nil after `close()`.
    var handle: OpaquePointer?
    /// The prepared statements of this session: their SQL by name.
    var prepared: [String: String] = [:]

    /// Connects.
    ///
    /// - Parameters:
    ///   - url: a URL (`postgresql://user@host:port/database?…`) or keywords (`host=… dbname=…`), as libpq parses them.
    ///     Defaults: 5 s to connect per host, TCP keepalive, 10 s `tcp_user_timeout`.
    ///   - applicationName: shown in `pg_stat_activity` unless `url` sets another.
    ///   - sessionSettings: server settings for this session, such as `("synchronous_commit", "on")`. They override
    ///     those of the role, the database and the URL. Statement, lock and idle timeouts are off unless set here or in
    ///     `url`.
    /// - Throws: `.usage` for an invalid string, `.cannotConnect` otherwise. Messages contain no password.
    public init(
        _ url: String,
        applicationName: String,
        sessionSettings: [(name: String, value: String)] = []
    ) throws(PostgresError) {
        parameters = try ConnectionParameters(url, applicationName: applicationName, sessionSettings: sessionSettings)
        try connect()
    }

    deinit { close() }

    /// Ends the session, if there is one, and starts a new one with nothing prepared.
    ///
    /// - Throws: `.cannotConnect`.
    public func reconnect() throws(PostgresError) {
        close()
        try connect()
    }

    /// Ends the session, rolling back open work. Safe to repeat.
    public func close() {
        prepared.removeAll()
        if let handle { PQfinish(handle) }
        handle = nil
    }

    private func connect() throws(PostgresError) {
        guard let new = parameters.connect() else { throw PostgresError(.cannotConnect, "out of memory") }
        guard PQstatus(new) == CONNECTION_OK, PQsetnonblocking(new, 1) == 0 else {
            let message = String(cString: PQerrorMessage(new)).trimmingLineEnd()
            PQfinish(new)
            throw PostgresError(.cannotConnect, message)
        }
        sagamore_pq_ignore_notices(new)
        handle = new
    }
}
