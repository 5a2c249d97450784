import Glibc
import SagamoreEmbeddedPostgres
import SagamoreEngine
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreLogging
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Synchronization
import Testing

@testable import SagamoreKafkaFront

/// The brokers that a test can run against.
enum Cluster: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case development
    case apache

    /// The development broker, and Apache Kafka if available.
    static var all: [Cluster] {
        if TemporaryKafka.isAvailable { return [.development, .apache] }
        print(TemporaryKafka.whySkipped)
        return [.development]
    }

    var testDescription: String { rawValue }

    private static let developmentBroker = Result { try KafkaDevelopmentBroker() }
    private static let apacheBroker = Result { try TemporaryKafka() }

    static func development() throws -> KafkaDevelopmentBroker { try developmentBroker.get() }
    static func apache() throws -> TemporaryKafka { try apacheBroker.get() }

    func bootstrap() throws -> String {
        switch self {
        case .development: try Self.development().bootstrap
        case .apache: try Self.apache().bootstrap
        }
    }

    func configuration() throws -> KafkaConfiguration {
        // On each group change the development broker waits for one second less than this timeout.
        let properties = self == .development ? ["session.timeout.ms": "4000"] : [:]
        return KafkaConfiguration(bootstrap: try bootstrap(), properties: properties)
    }

    func create(_ topics: [String], partitions: Int = 4, settings: [String: String] = [:]) throws {
        switch self {
        case .development: try Self.development().createTopics(topics, partitions: partitions)
        case .apache: try Self.apache().createTopics(topics, partitions: partitions, configuration: settings)
        }
    }
}

/// Unique names.
enum Names {
    private static let count = Atomic(0)
    static func next(_ name: String) -> String { "\(name)-\(getpid())-\(count.add(1, ordering: .relaxed).newValue)" }
}

/// A database with the schema. The test owns its only shard and writes records to it.
final class OutboxWorld {
    let url: String
    let installation: String
    private(set) var process: String
    private let lane: PostgresLaneStore
    let sql: PostgresConnection
    private var epoch: Int64
    private(set) var sequence: Int64

    init(server: TemporaryPostgres? = nil, leavesNumbersOut: Bool = false) throws {
        let server = try server ?? TemporaryPostgres.sharedServer()
        url = try server.createDatabase()
        sql = try PostgresConnection(url, applicationName: "test")
        installation = try Migrator.migrate(sql, shardCount: 1).installationID
        process = Names.next("process")
        lane = PostgresLaneStore(try PostgresConnection(url, applicationName: "lane"))
        let owner = ShardOwner(node: "node", process: process, leavesNumbersOut: leavesNumbersOut)
        let taken = try lane.takeShard(0, as: owner)
        epoch = try #require(taken).epoch
        sequence = try #require(taken).outboxSequence
    }

    /// Writes records as a commit lane does.
    func write(_ records: [OutboxRecord]) throws {
        var batch = CommitBatch()
        batch.outbox = records
        try lane.commit(batch, fence: ShardFence(shard: 0, epoch: epoch, outboxSequence: sequence))
        sequence += Int64(records.count)
    }

    /// Makes another process the shard's owner.
    func handOver(to process: String) throws {
        let statement = PostgresStatement("test_owner", "update sagamore.shards set owner = $1 where id = 0")
        _ = try sql.query(statement, [.text(process)])
        self.process = process
    }

    func count(_ table: String) throws -> Int {
        Int(try sql.query(PostgresStatement("count_\(table)", "select count(*) from sagamore.\(table)")).int64(0, 0))
    }

    func makeStore() -> @Sendable () throws -> any OutboxStore {
        Self.makeStore(url, process)
    }

    static func makeStore(_ url: String, _ process: String) -> @Sendable () throws -> any OutboxStore {
        {
            let connection = try PostgresConnection(
                url,
                applicationName: "publisher",
                sessionSettings: [("synchronous_commit", "off")]
            )
            return PostgresOutboxStore(connection, process: process)
        }
    }

    /// A publisher of this world's shard.
    func publisher(
        _ kafka: KafkaConfiguration,
        cursors: String,
        installation: String? = nil,
        clock: @escaping @Sendable () -> Instant = wallClock,
        callLimit: Duration = .seconds(10),
        log: LogBook = LogBook()
    ) throws -> ShardPublisher {
        var settings = PublisherSettings(
            kafka: kafka,
            installationID: installation ?? self.installation,
            cursorTopic: cursors,
            clock: clock
        )
        settings.cleaningInterval = .milliseconds(100)
        settings.callLimit = callLimit
        let publisher = ShardPublisher(
            shard: 0,
            settings: settings,
            admin: try KafkaAdmin(kafka),
            makeStore: makeStore(),
            reachability: Reachability(bootstrap: kafka.bootstrap, log: log.logger),
            log: log.logger
        )
        publisher.start()
        return publisher
    }
}

/// This machine's clock.
@Sendable func wallClock() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}

/// Records whose value and header are their number.
func numbered(_ range: ClosedRange<Int>, topic: String, keys: Int = 5) -> [OutboxRecord] {
    range.map { number in
        OutboxRecord(
            topic: topic,
            key: Array("key-\(number % keys)".utf8),
            value: Array("\(number)".utf8),
            headers: [OutboxRecord.Header(name: "number", value: Array("\(number)".utf8))]
        )
    }
}

/// Collects log lines.
final class LogBook: Sendable {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    let logger: Logger
    private let lines = Lines()

    init() {
        let lines = lines
        let destination = LogDestination.lines { line in lines.all.withLock { $0.append(line) } }
        logger = Logger(label: "test", handler: LogHandler(format: .text, destination: destination))
    }

    var text: String { lines.all.withLock { $0.joined(separator: "\n") } }

    func count(_ part: String) -> Int { lines.all.withLock { $0.count { $0.contains(part) } } }
}

struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Waits for a condition. The test fails when the limit expires.
func wait(for what: String, limit: Duration = .seconds(60), until condition: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        if ContinuousClock.now > deadline { throw NotInTime(description: "not in time: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Reads topics as a `read_committed` consumer and keeps all records.
final class TopicReader: Sendable {
    private struct State {
        var records: [KafkaRecord] = []
        /// After a rebalance partitions are read from their beginning.
        var next: [KafkaPartition: Int64] = [:]
    }

    private let state = Mutex(State())
    private let consumer: Mutex<KafkaConsumer?> = Mutex(nil)

    init(_ kafka: KafkaConfiguration, _ topics: [String]) throws {
        var configuration = kafka
        configuration.properties["fetch.wait.max.ms"] = "20"
        let opened = try KafkaConsumer(
            configuration,
            group: Names.next("reader"),
            topics: topics,
            handlers: .init(records: { [weak self] in self?.take($0) })
        )
        consumer.withLock { $0 = opened }
    }

    deinit { consumer.withLock { $0?.close() } }

    private func take(_ records: [KafkaRecord]) {
        state.withLock { state in
            for record in records {
                let partition = KafkaPartition(topic: record.topic, partition: record.partition)
                guard record.offset >= state.next[partition] ?? 0 else { continue }
                state.next[partition] = record.offset + 1
                state.records.append(record)
            }
        }
    }

    var seen: [KafkaRecord] { state.withLock { $0.records } }

    /// The values of a topic by key, in the order of reading.
    func values(_ topic: String) -> [String: [String]] {
        var values: [String: [String]] = [:]
        for record in seen where record.topic == topic {
            values[record.key?.text ?? "", default: []].append(record.value?.text ?? "")
        }
        return values
    }

    func count(_ topic: String) -> Int { state.withLock { state in state.records.count { $0.topic == topic } } }
}

/// The values that a reader should see of `numbered` records.
func expected(_ range: ClosedRange<Int>, keys: Int = 5) -> [String: [String]] {
    Dictionary(grouping: range.map { $0 }, by: { "key-\($0 % keys)" }).mapValues { $0.map(String.init) }
}
