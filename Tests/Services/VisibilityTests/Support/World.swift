import Glibc
import SagamoreAPI
import SagamoreEmbeddedPostgres
import SagamoreEngine
import SagamoreLogging
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Synchronization
import Testing

@testable import SagamoreVisibility

/// The tests share one server and block their threads.
@Suite(.serialized)
struct VisibilityTests {}

/// A database with runs, written as an owner writes them, and the service that finds them.
final class VisibleWorld {
    let visibility: PostgresVisibility
    let session: PostgresConnection
    private let lane: PostgresLaneStore
    private var fence: ShardFence

    static let attributes: [SearchAttribute] = SearchAttributeType.allCases.enumerated().map { index, type in
        SearchAttribute(id: Int32(index + 1), name: "My\(type.name)", type: type)
    }
    static let catalog = SearchAttributeCatalog(namespace: "default", attributes)
    static let namespace = NamespaceRecord(
        number: 1,
        id: "1",
        name: "default",
        description: "",
        ownerEmail: "",
        retention: .seconds(86_400),
        data: [:],
        searchAttributes: attributes
    )

    init() throws {
        let url = try TemporaryPostgres.sharedServer().createDatabase()
        session = try PostgresConnection(url, applicationName: "tests")
        _ = try Migrator.migrate(session, shardCount: 1)
        lane = PostgresLaneStore(
            try PostgresConnection(url, applicationName: "tests", sessionSettings: SessionSettings.lane)
        )
        let taken = try #require(try lane.takeShard(0, as: ShardOwner(node: "node", process: "process")))
        fence = ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
        visibility = PostgresVisibility(url: url, log: Logger(label: "test"))
        visibility.start()
    }

    deinit { visibility.stop() }

    func commit(_ fill: (inout CommitBatch) -> Void) throws {
        var batch = CommitBatch()
        fill(&batch)
        try lane.commit(batch, fence: fence)
    }

    func write(_ runs: [VisibleRun]) throws {
        for start in stride(from: 0, to: runs.count, by: 500) {
            let some = runs[start..<min(start + 500, runs.count)]
            try commit { batch in
                batch.newRuns = some.map(\.row)
                batch.journal = some.flatMap(\.journal)
            }
        }
    }

    func list(_ query: String, limit: Int = 1_000, token: [UInt8] = []) throws -> ListedRuns {
        let request = ListRequest(namespace: Self.namespace, query: query, limit: limit, token: token)
        return try wait { visibility.list(request, reply: $0) }
    }

    func ids(_ query: String) throws -> [String] {
        var ids: [String] = []
        var token: [UInt8] = []
        repeat {
            let page = try list(query, token: token)
            ids += page.runs.map { $0.execution?.workflowID ?? "" }
            token = page.token
        } while !token.isEmpty
        return ids
    }

    func count(_ query: String) throws -> [CountedRuns] {
        try wait { visibility.count(query, in: Self.namespace, reply: $0) }
    }

    private func wait<Answer: Sendable>(_ ask: (Reply<Answer>) -> Void) throws -> Answer {
        let answer = Mutex<Result<Answer, RequestError>?>(nil)
        let reply = Reply<Answer> { outcome in answer.withLock { $0 = outcome } }
        ask(reply)
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let outcome = answer.withLock({ $0 }) { return try outcome.get() }
            usleep(200)
        }
        throw RequestError(.deadlineExceeded, "no answer came")
    }
}

/// A run in memory, for the plain evaluator.
struct VisibleRun {
    var number: Int
    var namespace: Int32 = 1
    var status = WorkflowExecutionStatus.running
    var workflowType = "Order"
    var taskQueue = "orders"
    var startedAt = Instant(nanoseconds: 0)
    var closedAt: Instant?
    var executionAt: Instant?
    var parent: RunName?
    var root: RunName?
    var commandID: String?
    var saga: SagaStatus?
    /// The steps that it has begun.
    var steps: [String] = []
    /// What each build of its workers was the first with.
    var builds: [WorkerBuild.Names] = []
    var historyLength: Int64 = 0
    var values: [Int32: SearchAttributeValue] = [:]

    var workflowID: String { "run \(number)" }

    var buildIDs: [String] {
        let ids = builds.compactMap(\.id)
        return ids.isEmpty ? [] : ["unversioned"] + ids.filter { !$0.isEmpty }.map { "unversioned:\($0)" }
    }

    /// A row for each step and for each build, and one behind each that has neither.
    var journal: [JournalRow] {
        let begun: [(step: String?, build: WorkerBuild.Names)] =
            steps.flatMap { [($0, .init()), (nil, .init())] } + builds.flatMap { [(nil, $0), (nil, .init())] }
        return begun.enumerated().map { index, row in
            JournalRow(
                runID: runID,
                sequence: Int64(index + 1),
                firstEventID: Int64(index + 1),
                events: [1],
                facts: [],
                step: row.step,
                build: row.build
            )
        }
    }

    var runID: RunID { RunID(at: startedAt, random: (0, UInt64(number))) }

    var row: RunRow {
        var listing = RunListing()
        listing.executionAt = executionAt
        listing.parent = parent
        listing.root = root
        listing.commandID = commandID
        listing.saga = saga
        listing.transitions = closedAt == nil ? nil : historyLength / 2
        listing.values = VisibleWorld.attributes.flatMap { attribute in
            values[attribute.id].map { SearchValue.values(of: attribute, $0) } ?? []
        }
        return RunRow(
            runID: runID,
            key: WorkflowKey(namespace: namespace, workflowID: workflowID),
            workflowType: workflowType,
            taskQueue: taskQueue,
            startRequestID: "",
            status: status,
            startedAt: startedAt,
            closedAt: closedAt,
            historyLength: historyLength,
            historyBytes: historyLength * 100,
            listing: listing
        )
    }
}
