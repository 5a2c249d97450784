import Foundation
import SagamoreEmbeddedPostgres
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Testing

/// The tests share one server and block their threads.
@Suite(.serialized)
struct PersistenceTests {}

/// An empty database on the server that the tests of this process share.
func newDatabase() throws -> String { try TemporaryPostgres.sharedServer().createDatabase() }

func connect(_ url: String) throws(PostgresError) -> PostgresConnection {
    try PostgresConnection(url, applicationName: "tests")
}

/// Runs `body` on a new thread; `join` waits for it.
final class Helper: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [done] in
            body()
            done.signal()
        }
        thread.start()
    }

    func join() { done.wait() }
}

/// A migrated database with the stores of one owner.
final class Storage {
    let url: String
    let session: PostgresConnection
    let lane: PostgresLaneStore
    let loader: PostgresLoaderStore

    init(shards: Int = 1) throws {
        url = try newDatabase()
        session = try connect(url)
        _ = try Migrator.migrate(session, shardCount: shards)
        lane = try Storage.lane(url)
        let settings = SessionSettings.loader
        loader = PostgresLoaderStore(
            try PostgresConnection(url, applicationName: "tests", sessionSettings: settings)
        )
    }

    static func lane(_ url: String) throws -> PostgresLaneStore {
        let settings = SessionSettings.lane
        return PostgresLaneStore(try PostgresConnection(url, applicationName: "tests", sessionSettings: settings))
    }

    func number(_ sql: String) throws -> Int64 {
        try session.query(PostgresStatement("number \(sql)", sql, readsOnly: true)).int64(0, 0)
    }

    func texts(_ sql: String) throws -> [String] {
        let rows = try session.query(PostgresStatement("texts \(sql)", sql, readsOnly: true))
        return (0..<rows.rowCount).map { rows.text($0, 0) }
    }

    func take(_ owner: ShardOwner = Storage.owner) throws -> ShardFence {
        let taken = try #require(try lane.takeShard(0, as: owner))
        return ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
    }

    static let owner = ShardOwner(node: "node", process: "process")
    static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)

    static func runID(_ number: Int, at instant: Instant = noon) -> RunID {
        RunID(at: instant, random: (0, UInt64(number)))
    }

    static func key(_ number: Int) -> WorkflowKey { WorkflowKey(namespace: 1, workflowID: "run \(number)") }

    static func run(
        _ number: Int,
        at instant: Instant = noon,
        closedAt: Instant? = nil,
        workflowID: String? = nil
    ) -> RunRow {
        RunRow(
            runID: runID(number, at: instant),
            key: workflowID.map { WorkflowKey(namespace: 1, workflowID: $0) } ?? key(number),
            workflowType: "TravelBooking",
            taskQueue: "travel",
            startRequestID: "start \(number)",
            status: closedAt == nil ? .running : .completed,
            startedAt: instant,
            closedAt: closedAt,
            historyLength: 2,
            historyBytes: 200
        )
    }

    static func journal(_ number: Int, _ sequence: Int64, first: Int64, events: [UInt8], facts: [UInt8] = [])
        -> JournalRow
    {
        JournalRow(runID: runID(number), sequence: sequence, firstEventID: first, events: events, facts: facts)
    }

    static func snapshot(_ number: Int, _ sequence: Int64, after previous: Int64 = 0, state: [UInt8]) -> SnapshotRow {
        SnapshotRow(runID: runID(number), sequence: sequence, previousSequence: previous, format: 1, state: state)
    }

    static func inbox(_ number: Int, _ commandID: String, at instant: Instant = noon) -> InboxRow {
        InboxRow(
            receivedAt: instant,
            key: key(number),
            commandID: commandID,
            source: RecordCoordinates(cluster: "c", topic: "saga.commands", partition: 0, offset: Int64(number))
        )
    }

    static func alarm(_ number: Int, _ change: AlarmChange.Change) -> AlarmChange {
        AlarmChange(runID: runID(number), change: change)
    }
}

extension PostgresLoaderStore {
    /// The complete journals of the runs, rows in order.
    func journals(_ runIDs: [RunID]) throws(CommitError) -> [RunID: [JournalRow]] {
        let beginning = JournalPosition(runID: RunID(high: 0, low: 0), sequence: 0)
        let page = try loadJournals(runIDs, after: beginning, byteLimit: .max)
        return Dictionary(grouping: page.rows, by: \.runID)
    }

    /// All heartbeats of the runs.
    func heartbeats(_ runIDs: [RunID]) throws(CommitError) -> [HeartbeatRow] {
        try loadHeartbeats(runIDs, after: .beginning, byteLimit: .max).rows
    }
}

extension JournalPage {
    /// The journal's rows, without snapshots.
    var rows: [JournalRow] {
        parts.compactMap { part in
            if case .row(let row) = part { row } else { nil }
        }
    }
}
