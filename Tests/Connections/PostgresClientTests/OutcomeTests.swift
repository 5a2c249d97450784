import Glibc
import SagamoreEmbeddedPostgres
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreThreads
import Testing

private let insert = PostgresStatement("insert", "INSERT INTO t VALUES ($1)")
private let sleep = PostgresStatement("sleep", "SELECT pg_sleep(600)")

/// A transaction on a connection of its own.
private final class Attempt: Sendable {
    let session = Locked<Int32?>(nil)
    let outcome = Locked<Result<Void, PostgresError>?>(nil)
    private let url: String
    private let batch: PostgresBatch

    init(_ url: String, _ batch: PostgresBatch) {
        self.url = url
        self.batch = batch
    }

    func run() {
        let result: Result<Void, PostgresError>
        do throws(PostgresError) {
            let connection = try connect(url)
            let pid = try connection.backendProcessID()
            session.withLock { $0 = pid }
            _ = try connection.transaction(batch)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        outcome.withLock { $0 = result }
    }
}

extension PostgresClientTests {
    /// Servers and sessions that die at chosen moments. It uses its own servers.
    @Suite struct Outcomes {
        let server: TemporaryPostgres
        let url: String
        /// A separate session that observes.
        let observer: PostgresConnection

        init() throws {
            server = try TemporaryPostgres()
            url = try server.createDatabase()
            observer = try connect(url)
            try observer.execute("CREATE TABLE t (id int8 PRIMARY KEY)")
        }

        func batch(_ statements: PostgresStatement...) -> PostgresBatch {
            var batch = PostgresBatch()
            for (index, statement) in statements.enumerated() {
                batch.append(statement, statement == insert ? [.int64(Int64(index))] : [])
            }
            return batch
        }

        /// Runs `batch` as a transaction on a new connection and thread. Calls `strike` with the session's process once
        /// that waits (see `awaitWait`). Returns the transaction's error.
        func strike(
            _ batch: PostgresBatch,
            whenWaitingFor wait: String,
            on url: String? = nil,
            _ strike: (Int32) throws -> Void
        ) throws -> PostgresError? {
            let attempt = Attempt(url ?? self.url, batch)
            let helper = try SystemThread("attempt") { attempt.run() }
            defer { helper.join() }
            try eventually { attempt.session.withLock { $0 != nil } }
            let pid = try #require(attempt.session.withLock { $0 })
            do {
                try awaitWait(pid, wait, seenFrom: observer)
                try strike(pid)
            } catch {
                // The helper would stay blocked otherwise.
                kill(pid, SIGTERM)
                throw error
            }
            try eventually { attempt.outcome.withLock { $0 != nil } }
            if case .failure(let error) = attempt.outcome.withLock({ $0 }) { return error }
            return nil
        }

        func makeCommitSlow() throws {
            try observer.execute(
                """
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION slow()
                """
            )
        }

        @Test func terminatedInAStatementIsNotCommitted() throws {
            let error = try strike(batch(insert, sleep), whenWaitingFor: "Timeout") { pid in
                _ = try observer.query(PostgresStatement("end", "SELECT pg_terminate_backend($1)"), [.int32(pid)])
            }
            #expect(error?.code == .connectionLost)
            #expect(error?.sqlState == "57P01")
            #expect(error?.statementIndex == 1)
            #expect(error?.isTransient == true)
            #expect(try observer.number("SELECT count(*) FROM t") == 0)
        }

        @Test func terminatedInTheCommitIsUnknown() throws {
            try makeCommitSlow()
            let error = try strike(batch(insert), whenWaitingFor: "Timeout") { pid in
                _ = try observer.query(PostgresStatement("end", "SELECT pg_terminate_backend($1)"), [.int32(pid)])
            }
            #expect(error?.code == .outcomeUnknown)
            #expect(error?.sqlState == "57P01")
            #expect(try observer.number("SELECT count(*) FROM t") == 0)
        }

        @Test func cancelledInTheCommitIsRolledBack() throws {
            try makeCommitSlow()
            let error = try strike(batch(insert), whenWaitingFor: "Timeout") { pid in
                _ = try observer.query(PostgresStatement("cancel", "SELECT pg_cancel_backend($1)"), [.int32(pid)])
            }
            #expect(error?.code == .server)
            #expect(error?.sqlState == "57014")
            #expect(error?.statementIndex == nil)
            #expect(error?.isTransient == true)
        }

        @Test func killedWithTheCommitOnItsWayIsUnknown() throws {
            let error = try strike(batch(insert, sleep), whenWaitingFor: "Timeout") { pid in kill(pid, SIGKILL) }
            #expect(error?.code == .outcomeUnknown)
            #expect(error?.sqlState == nil)
            try awaitCrashRecovery(observer)
            #expect(try observer.number("SELECT count(*) FROM t") == 0)
        }

        @Test func killedWhileIdleIsNoticedBeforeAnythingIsSent() throws {
            let connection = try connect(url)
            _ = try connection.transaction(batch(insert))
            kill(try connection.backendProcessID(), SIGKILL)
            try awaitCrashRecovery(observer)
            let error = try failure { () throws(PostgresError) in try connection.transaction(batch(sleep, insert)) }
            #expect(error.code == .connectionLost)
            #expect(!connection.isUsable)
            try connection.reconnect()
            #expect(try connection.number("SELECT count(*) FROM t") == 1)
        }

        /// The case in which the commit has happened and its answer is lost: with the commit on disk, the server waits
        /// for a standby that does not exist.
        @Test func killedAfterTheCommitIsUnknownAndHasHappened() throws {
            let waiting = try TemporaryPostgres(settings: ["wal_level": "replica", "max_wal_senders": "2"])
            defer { try? waiting.stop() }
            let url = try waiting.createDatabase()
            let setUp = try connect(url)
            try setUp.execute("CREATE TABLE t (id int8 PRIMARY KEY)")
            try setUp.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            try setUp.execute("SELECT pg_reload_conf()")
            try eventually {
                try setUp.query(PostgresStatement("names", "SHOW synchronous_standby_names")).text(0, 0) == "nobody"
            }
            let outcomes = try Outcomes(observing: waiting, url: url, observer: setUp)
            let error = try outcomes.strike(batch(insert), whenWaitingFor: "IPC") { pid in kill(pid, SIGKILL) }
            #expect(error?.code == .outcomeUnknown)
            try awaitCrashRecovery(setUp)
            #expect(try setUp.number("SELECT count(*) FROM t") == 1)
        }

        private init(observing server: TemporaryPostgres, url: String, observer: PostgresConnection) throws {
            self.server = server
            self.url = url
            self.observer = observer
        }

        @Test(arguments: [SIGKILL, SIGTERM]) func brokenInTheMiddleOfALargeBatch(_ signal: Int32) throws {
            var large = batch(sleep)
            for _ in 0..<64 {
                large.append(
                    PostgresStatement("echo", "SELECT $1::bytea"),
                    [.bytes([UInt8](repeating: 1, count: 1 << 20))]
                )
            }
            let error = try strike(large, whenWaitingFor: "Timeout") { pid in kill(pid, signal) }
            // The commit was not sent yet: the server stopped reading long before.
            #expect(error?.code == .connectionLost)
        }

        @Test func postmasterKilledAndRestarted() throws {
            let connection = try connect(url)
            _ = try connection.transaction(batch(insert))
            server.kill9()
            // Orphaned sessions end by themselves, and restart() ends the others.
            try server.restart()
            let error = try failure { () throws(PostgresError) in try connection.transaction(batch(sleep, insert)) }
            #expect(error.code == .connectionLost)
            try connection.reconnect()
            #expect(try connection.number("SELECT count(*) FROM t") == 1)
            _ = try connection.transaction(batch(sleep0, insert))
            #expect(try connection.number("SELECT count(*) FROM t") == 2)
        }

        @Test func stoppedServerCannotBeConnectedTo() throws {
            let connection = try connect(url)
            server.kill9()
            let error = try failure { () throws(PostgresError) in
                while true { try connection.reconnect() }
            }
            #expect(error.code == .cannotConnect)
            #expect(!connection.isUsable)
            try server.restart()
            try connection.reconnect()
            #expect(connection.isUsable)
        }
    }
}

private let sleep0 = PostgresStatement("sleep0", "SELECT pg_sleep(0)")
