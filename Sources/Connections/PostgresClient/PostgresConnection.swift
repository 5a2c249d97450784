internal import CSagamorePostgres

/// A session with a PostgreSQL server, used by the one thread that owns it. Every call blocks.
///
/// A lost connection stays lost until `reconnect()`; `cancelHandle` lets another thread end a blocked call.
/// Statements are prepared by name in the session, so a pooler that shares sessions between transactions (PgBouncer's
/// transaction mode) can't stand in between.
public final class PostgresConnection {
    /// Lets another thread stop what this connection is doing.
    public let cancelHandle: PostgresCancelHandle
    let parameters: ConnectionParameters
    let binder = ParameterBinder()
    /// libpq's connection; nil after `close()`.
    var handle: OpaquePointer?
    /// The statements that this session knows, by name, with their SQL.
    var prepared: [String: String] = [:]

    /// Connects.
    ///
    /// - Parameters:
    ///   - url: a URL (`postgresql://user@host:port/database?…`) or keywords (`host=… dbname=…`), as libpq reads them.
    ///     Where it is silent: 5 s to connect per host, TCP keepalive, 10 s `tcp_user_timeout`.
    ///   - applicationName: shown by the server in `pg_stat_activity`, unless `url` names another.
    ///   - sessionSettings: settings of the server for this session, `("synchronous_commit", "on")`; they win over the
    ///     role's, the database's and the URL's. Statement, lock and idle timeouts are off unless set here or in `url`.
    /// - Throws: `.usage` for a string that libpq can't read, `.cannotConnect` otherwise. No message holds a password.
    public init(
        _ url: String,
        applicationName: String,
        sessionSettings: [(name: String, value: String)] = []
    ) throws(PostgresError) {
        parameters = try ConnectionParameters(url, applicationName: applicationName, sessionSettings: sessionSettings)
        cancelHandle = try PostgresCancelHandle()
        try connect()
    }

    deinit { close() }

    /// Whether the session is there as far as is known, and not interrupted.
    public var isUsable: Bool {
        guard let handle else { return false }
        return PQstatus(handle) == CONNECTION_OK && !cancelHandle.isInterrupted
    }

    /// The server's version, 150004 for 15.4; 0 when closed.
    public var serverVersion: Int { handle.map { Int(PQserverVersion($0)) } ?? 0 }

    /// The process that serves this session; 0 when closed.
    public var backendProcessID: Int32 { handle.map { PQbackendPID($0) } ?? 0 }

    /// Ends the session, if there is one, and starts a new one with nothing prepared.
    ///
    /// - Throws: `.cannotConnect`; `.connectionLost` when the handle was interrupted.
    public func reconnect() throws(PostgresError) {
        close()
        if cancelHandle.isInterrupted { throw PostgresError(.connectionLost, "interrupted") }
        try connect()
    }

    /// Ends the session. What ran in it is rolled back. Safe to repeat.
    public func close() {
        cancelHandle.replaceSession(nil)
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
        cancelHandle.replaceSession(new)
    }
}
