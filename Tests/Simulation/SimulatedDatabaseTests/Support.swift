import Glibc
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import SagamoreSimulatedDatabase
import Testing

/// What both databases must answer. Serialized: one of them is a real server.
@Suite(.serialized)
struct DatabaseContract {}

/// Which database is under test.
enum DatabaseKind: CaseIterable, CustomTestStringConvertible {
    case postgres
    case simulated

    var testDescription: String { "\(self)" }

    func make(shards: Int = 1) throws -> any DatabaseUnderTest {
        switch self {
        case .postgres: try PostgresUnderTest(shards: shards)
        case .simulated: try SimulatedUnderTest(shards: shards)
        }
    }
}

/// A migrated database with a session of each kind, and what is done to it from outside.
protocol DatabaseUnderTest: AnyObject {
    var lane: any LaneStore { get }
    var loader: any LoaderStore { get }
    /// Of the process `process`.
    var outbox: any OutboxStore { get }

    /// How many statements of commits changed rows that do not exist, if each names one row.
    var missingRows: Int { get }

    /// `sagamore migrate --shards N`.
    func rebalance(shardCount: Int) throws(PostgresError) -> (previousCount: Int, movedSlices: Int)
    func setRetention(_ retention: Interval, of namespace: Int32) throws
    func setFormatLevel(_ level: Int32) throws
    /// Lets time pass for leases.
    func pass(seconds: Int) throws
    /// Runs `body` while every commit meets the same error: a table is missing.
    func withoutJournal(_ body: () throws -> Void) throws
    /// Runs `body` while a transaction of another session holds the row of shard 0 and sessions do not wait for locks.
    func withLockedShard(_ body: () throws -> Void) throws
    /// Ends the sessions of `lane`, `loader` and `outbox`.
    func endSessions() throws
    /// The rows of all tables.
    func rows() throws -> [String]
}

final class SimulatedUnderTest: DatabaseUnderTest {
    let database: SimulatedDatabase
    let lane: any LaneStore
    let loader: any LoaderStore
    let outbox: any OutboxStore
    private let clock: Clock
    private(set) var missingRows = 0

    private final class Clock {
        /// In seconds.
        var offset: Int64 = 0
        var now: Instant {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Instant(nanoseconds: (Int64(time.tv_sec) + offset) * 1_000_000_000 + Int64(time.tv_nsec))
        }
    }

    init(shards: Int) throws {
        let clock = Clock()
        self.clock = clock
        database = SimulatedDatabase(shardCount: shards) { clock.now }
        lane = try database.laneStore(of: "process")
        loader = try database.loaderStore(of: "process")
        outbox = try database.outboxStore(process: "process")
        database.onMissingRows = { [unowned self] _ in missingRows += 1 }
    }

    func rebalance(shardCount: Int) throws(PostgresError) -> (previousCount: Int, movedSlices: Int) {
        try database.rebalance(shardCount: shardCount)
    }

    func setRetention(_ retention: Interval, of namespace: Int32) { database.setRetention(retention, of: namespace) }

    func setFormatLevel(_ level: Int32) { database.setFormatLevel(level) }

    func pass(seconds: Int) { clock.offset += Int64(seconds) }

    func withoutJournal(_ body: () throws -> Void) throws {
        database.fault = { $0.kind == .commit ? .tableMissing : .none }
        defer { database.fault = nil }
        try body()
    }

    func withLockedShard(_ body: () throws -> Void) throws {
        let epoch = database.shards[0].epoch
        let other = try database.laneStore(of: "other")
        var batch = CommitBatch()
        batch.inbox = [Sample.inbox(99, "hanging")]
        let until = clock.now + .seconds(3_600)
        database.fault = { $0.client == "other" ? .hangs(until: until, isDone: false) : .none }
        #expect(throws: CommitError.self) {
            try other.commit(batch, fence: ShardFence(shard: 0, epoch: epoch, outboxSequence: 0))
        }
        database.fault = nil
        #expect(database.lockedUntil(0) == until)
        try body()
        clock.offset += 3_600
    }

    func endSessions() { database.crash() }
}

final class PostgresUnderTest: DatabaseUnderTest {
    let lane: any LaneStore
    let loader: any LoaderStore
    let outbox: any OutboxStore
    let session: PostgresConnection
    var missingRows: Int { missing.count }
    private let missing = Counter()

    private final class Counter {
        var count = 0
    }

    init(shards: Int) throws {
        let url = try TemporaryPostgres.sharedServer().createDatabase()
        session = try PostgresConnection(url, applicationName: "tests")
        _ = try Migrator.migrate(session, shardCount: shards)
        // Locks are waited for without end by default; a test that meets one must not.
        let settings = [("synchronous_commit", "off"), ("lock_timeout", "50ms")]
        func connect(_ own: [(name: String, value: String)]) throws -> PostgresConnection {
            try PostgresConnection(url, applicationName: "under test", sessionSettings: own + settings)
        }
        // Some cases change rows that do not exist. The store reports that, and the commit stands.
        lane = PostgresLaneStore(
            try connect(SessionSettings.lane),
            onMissingRows: { [missing] _ in missing.count += 1 }
        )
        loader = PostgresLoaderStore(try connect(SessionSettings.loader))
        outbox = PostgresOutboxStore(try connect(SessionSettings.publisher), process: "process")
    }

    func rebalance(shardCount: Int) throws(PostgresError) -> (previousCount: Int, movedSlices: Int) {
        let outcome = try Migrator.rebalance(session, shardCount: shardCount)
        return (outcome.previousCount, outcome.movedSlices)
    }

    func setRetention(_ retention: Interval, of namespace: Int32) throws {
        try session.execute(
            """
            insert into sagamore.namespaces (number, id, name, description, owner_email, retention, data_keys,
                data_values) overriding system value
                values (\(namespace), gen_random_uuid(), 'n\(namespace)', '', '', \(retention.nanoseconds), '{}', '{}')
                on conflict (number) do update set retention = excluded.retention
            """
        )
    }

    func setFormatLevel(_ level: Int32) throws {
        try session.execute("update sagamore.installation set format_level = \(level)")
    }

    func pass(seconds: Int) throws {
        try session.execute("update sagamore.shards set lease_until = lease_until - interval '\(seconds) seconds'")
    }

    func withoutJournal(_ body: () throws -> Void) throws {
        try session.execute("alter table sagamore.journal rename to another")
        try body()
        try session.execute("alter table sagamore.another rename to journal")
    }

    func withLockedShard(_ body: () throws -> Void) throws {
        try session.execute("begin; select from sagamore.shards where id = 0 for update")
        defer { try? session.execute("rollback") }
        try body()
    }

    func endSessions() throws {
        let mine = "pg_stat_activity where datname = current_database() and application_name = 'under test'"
        let end = PostgresStatement("end", "select pid, pg_terminate_backend(pid) from \(mine)")
        let ended = try session.query(end)
        // A process leaves the view before it closes its socket. In between, it still takes a statement.
        for row in 0..<ended.rowCount {
            while kill(ended.int32(row, 0), 0) == 0 || errno != ESRCH { usleep(1_000) }
        }
    }
}
