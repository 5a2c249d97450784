import Glibc
import SagamoreEmbeddedPostgres
import SagamorePostgresClient
import SagamorePostgresTestSupport
import Testing

/// All tests of this target. They use real servers and block threads.
@Suite(.serialized)
struct PostgresClientTests {}

/// An empty database on the shared server of this process.
func newDatabase() throws -> String { try TemporaryPostgres.sharedServer().createDatabase() }

/// A connection to `url`.
func connect(_ url: String) throws(PostgresError) -> PostgresConnection {
    try PostgresConnection(url, applicationName: "tests")
}

/// The error that `body` throws. Fails the test when there is none.
func failure<Value>(
    _ location: SourceLocation = #_sourceLocation,
    _ body: () throws(PostgresError) -> Value
) throws -> PostgresError {
    do throws(PostgresError) { _ = try body() } catch { return error }
    return try #require(nil as PostgresError?, "an error was expected", sourceLocation: location)
}

/// Waits until `condition` holds. Fails the test after a minute.
func eventually(_ location: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try !condition() {
        try #require(ContinuousClock.now < deadline, "waited for a minute", sourceLocation: location)
        usleep(2_000)
    }
}

/// Waits until the session `pid` is in the wait state `wait` (`Lock`, `IPC`, `Timeout`), seen from `observer`.
func awaitWait(_ pid: Int32, _ wait: String, seenFrom observer: PostgresConnection) throws {
    let statement = PostgresStatement(
        "wait_of",
        "SELECT 1 FROM pg_stat_activity WHERE pid = $1::int4 AND wait_event_type = $2::text",
        readsOnly: true
    )
    try eventually { try observer.query(statement, [.int32(pid), .text(wait)]).rowCount == 1 }
}

extension PostgresConnection {
    /// Whether the connection can run a statement.
    var isUsable: Bool { (try? number("SELECT 1")) == 1 }

    /// The server's process behind this session.
    func backendProcessID() throws(PostgresError) -> Int32 { Int32(try number("SELECT pg_backend_pid()")) }

    /// One number.
    func number(_ sql: String) throws(PostgresError) -> Int64 {
        try query(PostgresStatement("number \(sql)", sql, readsOnly: true)).int64(0, 0)
    }
}

/// Waits for a crash recovery: after a SIGKILL of one session the server ends all others. Waits until `observer`'s is
/// ended, and then until it has a new one.
func awaitCrashRecovery(_ observer: PostgresConnection) throws {
    try eventually { (try? observer.number("SELECT 1")) == nil }
    try eventually { (try? observer.reconnect()) != nil }
}
