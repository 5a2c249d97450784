import Foundation
import SagamoreAPI
import SagamoreEmbeddedPostgres
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreLogging
import SagamoreMatchingService
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

/// The database of one test.
final class TestDatabase {
    let url: String
    let shardCount: Int
    /// A session for the test's own queries.
    let session: PostgresConnection

    init(shards: Int = 1) throws {
        url = try TemporaryPostgres.sharedServer().createDatabase()
        session = try PostgresConnection(url, applicationName: "test")
        shardCount = try Migrator.migrate(session, shardCount: shards).shardCount
    }

    func number(_ sql: String) throws -> Int64 {
        try session.query(PostgresStatement("number \(sql)", sql, readsOnly: true)).int64(0, 0)
    }

    /// The first column of each row, as text.
    func texts(_ sql: String) throws -> [String] {
        let rows = try session.query(PostgresStatement("texts \(sql)", sql, readsOnly: true))
        return (0..<rows.rowCount).map { rows.text($0, 0) }
    }

    func epoch(_ shard: Int = 0) throws -> Int64 {
        try number("select epoch from sagamore.shards where id = \(shard)")
    }

    /// Ends the sessions of lanes, like a broken network.
    func cutLanes() throws {
        try session.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                + "and application_name = 'test lane'"
        )
    }

    /// Checks that the numbers of transitions, of events, and of outbox records have no gaps but those of owners.
    func checkNumbers(_ location: SourceLocation = #_sourceLocation) throws {
        let gaps = try number(
            """
            select count(*) from (select sequence, lag(sequence) over (partition by shard order by sequence) as before
                from sagamore.outbox) as o where sequence <> before + 1 and sequence < before + 1000000
            """
        )
        #expect(gaps == 0, "the outbox has gaps", sourceLocation: location)
        let counters = try number(
            """
            select count(*) from sagamore.shards s where outbox_sequence <>
                (select coalesce(max(sequence), 0) from sagamore.outbox o where o.shard = s.id)
                and outbox_sequence <> outbox_start
            """
        )
        #expect(counters == 0, "a shard's counter is not its last record", sourceLocation: location)
        let firsts = try number(
            """
            select count(*) from (select first_event_id, run_id,
                min(first_event_id) over (partition by run_id) as first from sagamore.journal) as j where first <> 1
            """
        )
        #expect(firsts == 0, "a journal does not begin with event 1", sourceLocation: location)
    }
}

/// Status events as plain text: `accepted start-1 1`.
struct PlainEncoder: StatusEventEncoder {
    func encode(_ event: StatusEvent) -> OutboxRecord {
        OutboxRecord(
            topic: event.origin.eventsTopic,
            key: Array(event.workflowID.utf8),
            value: Array("\(event.status.rawValue) \(event.origin.commandID) \(event.sequence)".utf8),
            headers: event.origin.headers.map(OutboxRecord.Header.init)
        )
    }
}

/// One process: History and Matching, wired to a database through faults.
final class Node: @unchecked Sendable {
    let history: HistoryService
    let matching: MatchingService
    let faults = Faults()
    /// What runs send each other.
    let post = Post()
    let clock: TestClock
    private let fencedLock = NSLock()
    private var fenced: [Int32] = []

    init(
        _ database: TestDatabase,
        name: String = "node",
        clock: TestClock = TestClock(),
        configure: (inout HistoryConfiguration) -> Void = { _ in }
    ) {
        self.clock = clock
        var configuration = HistoryConfiguration(shardCount: database.shardCount, node: name)
        configuration.recoveryGrace = .zero
        configure(&configuration)
        var log = Logger(label: "test")
        log.logLevel = ProcessInfo.processInfo.environment["SAGAMORE_TEST_LOG"] == nil ? .critical : .debug
        let url = database.url
        history = HistoryService(
            configuration: configuration,
            process: "\(name)-\(UUID().uuidString)",
            makeLaneStore: { [faults] _ in
                let settings = SessionSettings.lane
                let connection = try PostgresConnection(url, applicationName: "test lane", sessionSettings: settings)
                return FaultyLaneStore(PostgresLaneStore(connection), faults)
            },
            makeLoaderStore: { [faults] in
                let settings = SessionSettings.loader
                let connection = try PostgresConnection(url, applicationName: "test loader", sessionSettings: settings)
                return FaultyLoaderStore(PostgresLoaderStore(connection), faults)
            },
            encoder: PlainEncoder(),
            clock: { clock.now },
            log: log
        )
        // Small, so that tests fill a queue in a moment.
        let room = QueueRoom(tasks: 2_000, bytes: .max)
        matching = MatchingService(history: history, clock: { clock.now }, log: log, room: room, afterHold: nil)
        history.connect(matching: matching)
        history.connect(namespaces: DefaultNamespace())
        post.connect(history)
        history.onShardLost { [weak self] shard, _ in self?.noteFenced(shard) }
    }

    private func noteFenced(_ shard: Int32) {
        fencedLock.lock()
        fenced.append(shard)
        fencedLock.unlock()
    }

    /// The shards that were lost to other owners.
    var fencedShards: [Int32] {
        fencedLock.lock()
        defer { fencedLock.unlock() }
        return fenced
    }

    func start() {
        history.start()
        matching.start()
    }

    /// Starts the node, and waits until it owns its shards and has recovered their runs.
    @discardableResult
    func started(_ location: SourceLocation = #_sourceLocation) throws -> Node {
        start()
        try eventually("ready", location) { history.isReady }
        return self
    }

    /// Stops the node cleanly.
    func stop() {
        matching.stop()
        history.stop()
    }

    /// Ends the node like `kill -9`, as seen by the database: nothing that it does has an effect from now on.
    func kill() {
        faults.kill()
        stop()
    }

    var shard: Shard { history.shards[0] }

    /// The number of runs in memory.
    var cachedCount: Int {
        history.shards.reduce(0) { count, shard in
            count + shard.perform { shard.state.runs.contexts.values.count { $0.cached != nil } }
        }
    }

    func isCached(_ workflowID: String) -> Bool {
        let key = Node.key(workflowID)
        let shard = history.current.withLock { $0 }.shard(of: key)
        return shard.perform { shard.state.runs[key]?.cached != nil }
    }

    /// The number of transitions that wait for their commit.
    var queuedCount: Int { history.shards.reduce(0) { $0 + $1.lane.count } }

    static func key(_ workflowID: String) -> WorkflowKey { WorkflowKey(namespace: 1, workflowID: workflowID) }
}
