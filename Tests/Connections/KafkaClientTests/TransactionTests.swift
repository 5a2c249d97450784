import SagamoreKafkaTestSupport
import Testing

@testable import SagamoreKafkaClient

extension BrokerTests {
    /// Transactions, which need a real broker.
    @Suite(.serialized, .enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct TransactionTests {
        private let configuration: KafkaConfiguration
        private let limit = Duration.seconds(20)

        init() throws { configuration = try Cluster.apache.configuration() }

        private func producer(_ id: String) throws -> KafkaTransactionalProducer {
            let producer = try KafkaTransactionalProducer(configuration, transactionalID: id)
            try producer.initTransactions(timeout: limit)
            return producer
        }

        /// Runs a transaction until it is committed or records are refused; returns the refused ones. Retries after
        /// other errors that require an abort.
        private func accepted(
            _ producer: KafkaTransactionalProducer,
            _ body: () throws -> Void
        ) throws -> [KafkaTransactionalProducer.Failure] {
            for _ in 0..<3 {
                do {
                    try producer.begin()
                    try body()
                    try producer.commit(timeout: limit)
                    return []
                } catch let error as KafkaError {
                    guard error.requiresAbort, !error.isFatal else { throw error }
                    let refused = producer.failures.filter(\.error.isRecordRefused)
                    try producer.abort(timeout: limit)
                    if !refused.isEmpty { return refused }
                }
            }
            throw NotInTime(description: "three transactions failed")
        }

        @Test func `committed records and offsets are visible, aborted and open ones are not`() async throws {
            let topic = try Cluster.apache.topic("events")
            let cursor = KafkaPartition(topic: try Cluster.apache.topic("cursor"), partition: 0)
            let (group, id) = (Names.next("publisher"), Names.next("id"))
            let admin = try KafkaAdmin(configuration)
            let producer = try producer(id)
            let committed = try Reader(configuration, topics: [topic])
            let all = try Reader(configuration, topics: [topic], isolation: .readUncommitted)

            try producer.begin()
            for value in ["1", "2"] { try producer.produce(topic: topic, key: nil, value: bytes(value)) }
            try producer.sendOffsets(group: group, [.init(cursor, 2, metadata: "epoch 7, π")])
            try producer.commit(timeout: limit)
            #expect(producer.failures.isEmpty)
            let first = KafkaAdmin.CommittedOffset(offset: 2, metadata: "epoch 7, π")
            #expect(try admin.committedOffset(group: group, cursor) == first)

            try producer.begin()
            try producer.produce(topic: topic, key: nil, value: bytes("aborted"))
            try producer.flush(timeout: limit)
            try producer.sendOffsets(group: group, [.init(cursor, 3, metadata: "no")])
            try producer.abort(timeout: limit)
            #expect(try admin.committedOffset(group: group, cursor) == first)

            try producer.begin()
            try producer.produce(topic: topic, key: nil, value: bytes("3"))
            try producer.flush(timeout: limit)
            try await wait(for: "the open transaction's record") { all.seen.values.contains("3") }
            #expect(committed.seen.values == ["1", "2"])
            try producer.sendOffsets(group: group, [.init(cursor, 3)])
            try producer.commit(timeout: limit)
            try await wait(for: "the committed record") { committed.seen.values.contains("3") }
            #expect(committed.seen.values == ["1", "2", "3"])
            #expect(all.seen.values == ["1", "2", "aborted", "3"])
            #expect(try admin.committedOffset(group: group, cursor) == .init(offset: 3, metadata: ""))
            let absent = KafkaPartition(topic: cursor.topic, partition: 9)
            #expect(try admin.committedOffset(group: group, absent) == nil)
        }

        @Test func `a zombie is fenced, and the cursor read after init is final`() throws {
            let topic = try Cluster.apache.topic("fenced")
            let cursor = KafkaPartition(topic: try Cluster.apache.topic("cursor"), partition: 0)
            let (group, id) = (Names.next("publisher"), Names.next("id"))
            let zombie = try producer(id)
            try zombie.begin()
            try zombie.produce(topic: topic, key: nil, value: bytes("zombie"))
            try zombie.sendOffsets(group: group, [.init(cursor, 10)])
            try zombie.flush(timeout: limit)

            let owner = try producer(id)
            #expect(try KafkaAdmin(configuration).committedOffset(group: group, cursor) == nil)
            let error = #expect(throws: KafkaError.self) { try zombie.commit(timeout: limit) }
            #expect(error?.isFenced == true && error?.isFatal == true)
            #expect(zombie.fatalError?.isFenced == true)
            let again = #expect(throws: KafkaError.self) { try zombie.begin() }
            #expect(again?.isFatal == true)

            try owner.begin()
            try owner.produce(topic: topic, key: nil, value: bytes("owner"))
            try owner.sendOffsets(group: group, [.init(cursor, 1)])
            try owner.commit(timeout: limit)
            #expect(try KafkaAdmin(configuration).committedOffset(group: group, cursor)?.offset == 1)
        }

        @Test func `a zombie between transactions is fenced as well`() throws {
            let topic = try Cluster.apache.topic("fenced")
            let id = Names.next("id")
            let zombie = try producer(id)
            try zombie.begin()
            try zombie.produce(topic: topic, key: nil, value: bytes("1"))
            try zombie.commit(timeout: limit)
            _ = try producer(id)
            let error = #expect(throws: KafkaError.self) {
                try zombie.begin()
                try zombie.produce(topic: topic, key: nil, value: bytes("2"))
                try zombie.commit(timeout: limit)
            }
            #expect(error?.isFenced == true && error?.isFatal == true)
        }

        @Test func `a record that is too large for its topic is identified`() async throws {
            let topic = try Cluster.apache.topic("small", settings: ["max.message.bytes": "2000"])
            let producer = try producer(Names.next("id"))
            let sizes = [10, 5_000, 20]

            // In one batch: all records are refused with the batch.
            try producer.begin()
            for (index, size) in sizes.enumerated() {
                try producer.produce(
                    topic: topic,
                    key: nil,
                    value: Array(repeating: 1, count: size),
                    record: UInt64(100 + index)
                )
            }
            let together = #expect(throws: KafkaError.self) { try producer.commit(timeout: limit) }
            #expect(together?.requiresAbort == true && together?.isFatal == false)
            #expect(producer.failures.contains { $0.record == 101 && $0.error.isMessageTooLarge })
            try producer.abort(timeout: limit)

            // In separate batches: only the large record is refused.
            let culprits = try accepted(producer) {
                for (index, size) in sizes.enumerated() {
                    try producer.produce(
                        topic: topic,
                        key: nil,
                        value: Array(repeating: 1, count: size),
                        record: UInt64(100 + index)
                    )
                    try producer.flush(timeout: limit)
                    if !producer.failures.isEmpty { break }
                }
            }
            #expect(culprits.map(\.record) == [101])
            #expect(culprits.first?.error.isMessageTooLarge == true)

            // The other records are accepted without it.
            let refused = try accepted(producer) {
                for size in [10, 20] {
                    try producer.produce(topic: topic, key: nil, value: Array(repeating: 2, count: size))
                }
            }
            #expect(refused.isEmpty)
            let reader = try Reader(configuration, topics: [topic])
            try await wait(for: "the two small records") { reader.seen.records.count >= 2 }
            #expect(reader.seen.records.map { $0.value?.count } == [10, 20])
        }

        @Test func `a record without a key is refused by a compacted topic`() throws {
            let topic = try Cluster.apache.topic("compacted", settings: ["cleanup.policy": "compact"])
            let producer = try producer(Names.next("id"))
            try producer.begin()
            try producer.produce(topic: topic, key: nil, value: bytes("no key"), record: 5)
            let error = #expect(throws: KafkaError.self) { try producer.commit(timeout: limit) }
            #expect(error?.requiresAbort == true)
            #expect(producer.failures.map(\.record) == [5])
            #expect(producer.failures.first?.error.isInvalidRecord == true)
            try producer.abort(timeout: limit)
            let refused = try accepted(producer) {
                try producer.produce(topic: topic, key: bytes("key"), value: bytes("value"))
            }
            #expect(refused.isEmpty)
        }

        @Test func `a missing topic fails the transaction but not the producer`() throws {
            let producer = try producer(Names.next("id"))
            let missing = Names.next("missing")
            try producer.begin()
            var refusal: KafkaError?
            do {
                try producer.produce(topic: missing, key: nil, value: [], record: 9)
                try producer.commit(timeout: limit)
            } catch { refusal = error }
            #expect(refusal != nil)
            #expect(refusal?.isUnknownTopic == true || producer.failures.contains { $0.error.isUnknownTopic })
            try producer.abort(timeout: limit)
            try Cluster.apache().createTopics([missing])
            let deadline = ContinuousClock.now + limit
            while true {
                try producer.begin()
                do {
                    try producer.produce(topic: missing, key: nil, value: [])
                    try producer.commit(timeout: limit)
                    break
                } catch {
                    try producer.abort(timeout: limit)
                    guard ContinuousClock.now < deadline else { throw error }
                }
            }
        }

        @Test func `creating existing topics succeeds, and an invalid setting is reported`() throws {
            let admin = try KafkaAdmin(configuration)
            let (first, second) = (Names.next("created"), Names.next("created"))
            try admin.createTopics([first], partitions: 3)
            try admin.createTopics([first, second], partitions: 8, configuration: ["retention.ms": "1000"])
            let counts = try admin.partitionCounts([first, second])
            #expect(try counts[first]?.get() == 3)
            #expect(try counts[second]?.get() == 8)
            #expect(throws: KafkaError.self) {
                try admin.createTopics([Names.next("created")], partitions: 1, configuration: ["retention.ms": "x"])
            }
            #expect(try admin.clusterID().count == 22)
        }
    }
}
