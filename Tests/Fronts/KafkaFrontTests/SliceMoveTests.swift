import SagamoreEngine
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

extension LiveTests {
    /// Publishers of shards whose slices move.
    struct SliceMoveTests {
        @Test(arguments: Cluster.all, [1, 2, 3] as [UInt64])
        func `records of a key keep their order when its slice moves`(_ cluster: Cluster, _ seed: UInt64) async throws {
            let (topic, other, cursors) = (Names.next("events"), Names.next("dlq"), Names.next("cursors"))
            try cluster.create([topic, other, cursors])
            let kafka = try cluster.configuration()
            let reader = try TopicReader(kafka, [topic, other])
            let world = try SlicedOutbox(kafka, cursors: cursors)
            var random = SplitMix(state: seed)
            var expected: [String: [String: [String]]] = [:]
            var total = 0
            func write(_ count: Int) throws {
                for _ in 0..<count {
                    total += 1
                    let name = Int.random(in: 0..<4, using: &random) == 0 ? other : topic
                    let key = "key-\(Int.random(in: 0..<60, using: &random))"
                    try world.write(topic: name, key: key, value: "\(total)")
                    expected[name, default: [:]][key, default: []].append("\(total)")
                }
            }
            for _ in 0..<8 {
                // Some shards publish nothing while their slices move away and others write on.
                for shard in 0..<Int32(4) {
                    if Bool.random(using: &random) { world.stop(shard) } else { try world.start(shard) }
                }
                try write(30)
                try world.rebalance(to: Int.random(in: 1...4, using: &random))
                try write(30)
            }
            for shard in 0..<Int32(4) { try world.start(shard) }
            try await wait(for: "all records") { reader.seen.count >= total }
            for name in [topic, other] {
                let values = reader.values(name)
                let wrong = expected[name, default: [:]].filter { values[$0.key] != $0.value }.keys.sorted()
                #expect(wrong == [], "these keys are out of order")
            }
            try await wait(for: "deletion") { try world.number("select count(*) from sagamore.outbox") == 0 }
            world.stopAll()
            #expect(reader.seen.count == total)
        }

        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
        func `the cursor topic grows with the shards`() async throws {
            let (topic, cursors) = (Names.next("events"), Names.next("cursors"))
            try Cluster.apache.create([topic], partitions: 1)
            try Cluster.apache.create([cursors], partitions: 1)
            let kafka = try Cluster.apache.configuration()
            let log = LogBook()
            var configuration = KafkaFrontConfiguration(kafka: kafka)
            configuration.cursorTopic = cursors
            configuration.topicCreation = .byRequest
            configuration.routes = []
            let keeper = TopicKeeper(
                configuration: configuration,
                shardCount: 1,
                admin: try KafkaAdmin(kafka),
                log: log.logger
            )
            #expect(keeper.ensure(.seconds(10)))
            keeper.shardCountChanged(3)
            #expect(keeper.ensure(.seconds(30)))
            let count = try KafkaAdmin(kafka).partitionCounts([cursors])[cursors]
            #expect(try #require(count).get() >= 3, "\(log.text)")
        }
    }
}

/// A database whose shards this test owns. It writes as lanes do, and has a publisher for each shard.
private final class SlicedOutbox {
    private let url: String
    private let sql: PostgresConnection
    private let lane: PostgresLaneStore
    private let loader: PostgresLoaderStore
    private let process = Names.next("process")
    private let admin: KafkaAdmin
    private var settings: PublisherSettings
    private var table: SliceTable
    private var fences: [Int32: ShardFence] = [:]
    private var publishers: [Int32: ShardPublisher] = [:]

    init(_ kafka: KafkaConfiguration, cursors: String) throws {
        url = try TemporaryPostgres.sharedServer().createDatabase()
        sql = try PostgresConnection(url, applicationName: "test")
        let outcome = try Migrator.migrate(sql, shardCount: 1)
        lane = PostgresLaneStore(try PostgresConnection(url, applicationName: "lane"))
        loader = PostgresLoaderStore(try PostgresConnection(url, applicationName: "loader"))
        admin = try KafkaAdmin(kafka)
        settings = PublisherSettings(
            kafka: kafka,
            installationID: outcome.installationID,
            cursorTopic: cursors,
            clock: wallClock
        )
        settings.cleaningInterval = .milliseconds(20)
        settings.slowPoll = .milliseconds(20)
        table = outcome.slices
        try takeAll()
    }

    /// Takes all shards, including those without slices.
    private func takeAll() throws {
        let owner = ShardOwner(node: "node", process: process, sliceVersion: table.version)
        for shard in 0..<Int32(try number("select count(*) from sagamore.shards")) {
            let taken = try #require(try lane.takeShard(shard, as: owner))
            fences[shard] = ShardFence(shard: shard, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
        }
    }

    func number(_ statement: String) throws -> Int64 {
        try sql.query(PostgresStatement("number \(statement)", statement)).int64(0, 0)
    }

    func rebalance(to count: Int) throws {
        _ = try Migrator.rebalance(sql, shardCount: count)
        table = try loader.sliceTable()
        try takeAll()
    }

    func write(topic: String, key: String, value: String) throws {
        let shard = table[SliceTable.slice(of: WorkflowKey(namespace: 1, workflowID: key))]
        let fence = try #require(fences[shard])
        var batch = CommitBatch()
        batch.outbox = [OutboxRecord(topic: topic, key: Array(key.utf8), value: Array(value.utf8), headers: [])]
        try lane.commit(batch, fence: fence)
        fences[shard] = ShardFence(shard: shard, epoch: fence.epoch, outboxSequence: fence.outboxSequence + 1)
    }

    func start(_ shard: Int32) throws {
        guard publishers[shard] == nil else { return }
        let log = LogBook().logger
        let publisher = ShardPublisher(
            shard: shard,
            settings: settings,
            admin: admin,
            makeStore: OutboxWorld.makeStore(url, process),
            reachability: Reachability(bootstrap: settings.kafka.bootstrap, log: log),
            log: log
        )
        publisher.start()
        publishers[shard] = publisher
    }

    func stop(_ shard: Int32) { publishers.removeValue(forKey: shard)?.stop() }

    func stopAll() { for shard in publishers.keys { stop(shard) } }
}
