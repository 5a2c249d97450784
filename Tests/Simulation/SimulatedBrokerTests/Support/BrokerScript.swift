import Glibc
import SagamoreEngine
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreSimulatedBroker
import SagamoreSimulatedTime
import Synchronization
import Testing

@testable import SagamoreKafkaFront

/// A cluster that a script runs against.
protocol ScriptedCluster {
    var clients: any KafkaClients { get }
    var configuration: KafkaConfiguration { get }
    /// The broker's time, in milliseconds since 1970.
    var milliseconds: Int64 { get }
    /// Makes the steps of clients, or waits, until the condition holds.
    func wait(until condition: () -> Bool) -> Bool
}

struct ApacheCluster: ScriptedCluster {
    let clients: any KafkaClients = LibrdkafkaClients()
    let configuration: KafkaConfiguration

    init(_ kafka: TemporaryKafka) {
        configuration = KafkaConfiguration(
            bootstrap: kafka.bootstrap,
            properties: ["message.max.bytes": "10485760", "linger.ms": "0"]
        )
    }

    var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    func wait(until condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            guard .now < deadline else { return false }
            usleep(5_000)
        }
        return true
    }
}

struct SimulatedCluster: ScriptedCluster {
    let clients: any KafkaClients
    let configuration = KafkaConfiguration(bootstrap: "simulated", properties: ["message.max.bytes": "10485760"])
    private let scheduler: Scheduler

    init() {
        let scheduler = Scheduler(seed: 1)
        self.scheduler = scheduler
        let broker = SimulatedBroker { scheduler.now + .seconds(1_000_000) }
        clients = FrontHost(SimulatedProcess("client"), of: scheduler, broker: broker).environment.clients
    }

    var milliseconds: Int64 { (scheduler.now + .seconds(1_000_000)).nanoseconds / 1_000_000 }

    func wait(until condition: () -> Bool) -> Bool {
        let limit = scheduler.now + .seconds(60)
        while !condition() {
            guard scheduler.now < limit, scheduler.step() else { return false }
        }
        return true
    }
}

/// Operations on a cluster whose answers are kept as text.
final class BrokerScript {
    private static let count = Atomic(0)

    private(set) var answers: [String] = []
    private let cluster: any ScriptedCluster
    private let admin: (any ClusterAdmin)?
    private let suffix = "-\(BrokerScript.count.add(1, ordering: .relaxed).newValue)"

    init(_ cluster: any ScriptedCluster) {
        self.cluster = cluster
        admin = try? cluster.clients.admin(cluster.configuration)
    }

    static func text(_ error: KafkaError) -> String {
        let flags = [(error.isFatal, "fatal"), (error.requiresAbort, "abort"), (error.isRetriable, "retriable")]
        return ([error.code.description] + flags.filter(\.0).map(\.1)).joined(separator: " ")
    }

    fileprivate func answer(_ what: String, _ body: () throws(KafkaError) -> String) {
        do throws(KafkaError) {
            answers.append("\(what): \(try body())")
        } catch {
            answers.append("\(what): \(Self.text(error))")
        }
    }

    private var limit: Duration { .seconds(20) }

    func createTopic(_ name: String, partitions: Int, settings: [String: String] = [:]) {
        answer("createTopic") { () throws(KafkaError) in
            try admin?.createTopics(
                [name + suffix],
                partitions: partitions,
                replication: -1,
                configuration: settings,
                timeout: limit
            )
            return "ok"
        }
    }

    func createPartitions(_ name: String, total: Int) {
        answer("createPartitions") { () throws(KafkaError) in
            try admin?.createPartitions(of: name + suffix, total: total, timeout: limit)
            return "ok"
        }
    }

    func partitionCount(_ name: String) {
        answer("partitionCount") { () throws(KafkaError) in
            switch try admin?.partitionCounts([name + suffix], timeout: limit)[name + suffix] {
            case .success(let count)?: "\(count)"
            case .failure(let error)?: Self.text(error)
            case nil: "no answer"
            }
        }
    }

    func committedOffset(_ group: String, _ topic: String, _ partition: Int32) {
        answer("committedOffset") { () throws(KafkaError) in
            let name = KafkaPartition(topic: topic + suffix, partition: partition)
            let offset = try admin?.committedOffset(group: group + suffix, name, timeout: limit)
            return offset.map { "\($0.offset) '\($0.metadata)'" } ?? "none"
        }
    }

    /// Reads a topic by a new consumer group, until so many records are there.
    func read(_ topic: String, count: Int) throws {
        let seen = Mutex<[KafkaRecord]>([])
        let consumer = try cluster.clients.consumer(
            cluster.configuration,
            group: "reader" + suffix,
            topics: [topic + suffix],
            handlers: KafkaConsumer.Handlers(records: { records in seen.withLock { $0 += records } })
        )
        defer { consumer.close() }
        #expect(cluster.wait { seen.withLock { $0.count >= count } })
        let records = seen.withLock { $0 }.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
        answers += records.map { "\($0.partition)/\($0.offset): \(String(decoding: $0.value ?? [], as: UTF8.self))" }
    }

    /// A new member of a consumer group, which commits what it reads.
    func member(_ group: String, of topics: [String]) throws -> ScriptedMember {
        let member = ScriptedMember(suffix)
        try member.open(cluster, group: group + suffix, topics: topics.map { $0 + suffix })
        return member
    }

    /// Waits until a condition on members holds.
    func wait(_ what: String, until condition: () -> Bool) {
        let isReached = cluster.wait(until: condition)
        #expect(isReached, "\(what), by \(cluster.configuration.bootstrap)")
        answers.append("\(what): \(isReached)")
    }

    func note(_ answer: String) { answers.append(answer) }

    func producer(_ id: String) throws -> ScriptedProducer {
        let producer = try cluster.clients.producer(cluster.configuration, transactionalID: id + suffix)
        return ScriptedProducer(producer, self, suffix, now: cluster.milliseconds)
    }
}

/// A producer whose answers are kept by its script.
struct ScriptedProducer {
    private let producer: any TransactionalProducer
    private let script: BrokerScript
    private let suffix: String
    private let now: Int64
    private let limit = Duration.seconds(20)

    fileprivate init(_ producer: any TransactionalProducer, _ script: BrokerScript, _ suffix: String, now: Int64) {
        self.producer = producer
        self.script = script
        self.suffix = suffix
        self.now = now
    }

    private func answer(_ what: String, _ body: () throws(KafkaError) -> Void) {
        script.answer(what) { () throws(KafkaError) in
            try body()
            return "ok"
        }
    }

    func initTransactions() {
        answer("init") { () throws(KafkaError) in try producer.initTransactions(timeout: limit) }
    }
    func begin() { answer("begin") { () throws(KafkaError) in try producer.begin() } }
    func flush() { answer("flush") { () throws(KafkaError) in try producer.flush(timeout: limit) } }
    func commit() { answer("commit") { () throws(KafkaError) in try producer.commit(timeout: limit) } }
    func abort() { answer("abort") { () throws(KafkaError) in try producer.abort(timeout: limit) } }

    func failures() {
        script.answer("failures") { () throws(KafkaError) in
            producer.failures.map { "\($0.record) \(BrokerScript.text($0.error))" }.joined(separator: ", ")
        }
    }

    /// - Parameter age: how far its timestamp is behind, in milliseconds.
    func produce(_ topic: String, _ key: String, _ value: String, record: UInt64 = 0, age: Int64 = 0) {
        answer("produce") { () throws(KafkaError) in
            try producer.produce(
                topic: topic + suffix,
                key: Array(key.utf8),
                value: Array(value.utf8),
                headers: [],
                partition: nil,
                timestamp: now - age,
                record: record
            )
        }
    }

    func sendOffsets(_ group: String, _ topic: String, _ partition: Int32, _ offset: Int64, _ metadata: String) {
        answer("sendOffsets") { () throws(KafkaError) in
            let name = KafkaPartition(topic: topic + suffix, partition: partition)
            try producer.sendOffsets(
                group: group + suffix,
                [.init(name, offset, metadata: metadata)],
                timeout: limit
            )
        }
    }
}
