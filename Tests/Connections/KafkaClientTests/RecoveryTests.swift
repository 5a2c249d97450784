import SagamoreKafkaTestSupport
import SagamoreThreads
import Synchronization
import Testing

@testable import SagamoreKafkaClient

extension BrokerTests {
    /// A broker that is killed.
    @Suite(.serialized, .enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct RecoveryTests {
        /// Publishes rows 0..<`rows` as the outbox does: records and cursor in one transaction. It reacts only to the
        /// consequences of errors.
        private final class Publisher: Sendable {
            let published = Atomic(0)
            let producers = Atomic(0)
            let aborts = Atomic(0)
            let failure = Locked<String?>(nil)
            let hasEnded = Monitor(false)

            init(_ configuration: KafkaConfiguration, topic: String, cursor: KafkaPartition, rows: Int) {
                _ = SystemThread.required("publisher") { [self] in
                    let deadline = ContinuousClock.now + .seconds(90)
                    while published.load(ordering: .relaxed) < rows, ContinuousClock.now < deadline {
                        do throws(KafkaError) {
                            producers.add(1, ordering: .relaxed)
                            try publish(configuration, topic, cursor, rows)
                        } catch {
                            guard error.isFatal || error.isRetriable || error.requiresAbort else {
                                failure.withLock { $0 = "\(error)" }
                                break
                            }
                        }
                    }
                    hasEnded.change { $0 = true }
                }
            }

            /// Publishes with one producer until the end, or until it must be replaced.
            private func publish(
                _ configuration: KafkaConfiguration,
                _ topic: String,
                _ cursor: KafkaPartition,
                _ rows: Int
            ) throws(KafkaError) {
                let limit = Duration.seconds(20)
                let producer = try KafkaTransactionalProducer(configuration, transactionalID: "publisher")
                try producer.initTransactions(timeout: limit)
                var next = Int(
                    try KafkaAdmin(configuration).committedOffset(group: "publisher", cursor)?.offset ?? 0
                )
                published.store(next, ordering: .relaxed)
                while next < rows {
                    let end = min(next + 5, rows)
                    do {
                        try producer.begin()
                        try producer.sendOffsets(group: "publisher", [.init(cursor, Int64(end), metadata: "e1")])
                        for row in next..<end { try producer.produce(topic: topic, key: nil, value: bytes("\(row)")) }
                        try Self.repeating { () throws(KafkaError) in try producer.commit(timeout: limit) }
                        next = end
                        published.store(next, ordering: .relaxed)
                    } catch  where error.requiresAbort && !error.isFatal {
                        aborts.add(1, ordering: .relaxed)
                        try Self.repeating { () throws(KafkaError) in try producer.abort(timeout: limit) }
                    }
                }
            }

            private static func repeating(_ call: () throws(KafkaError) -> Void) throws(KafkaError) {
                for _ in 0..<5 {
                    do { return try call() } catch  where error.isRetriable && !error.requiresAbort { continue }
                }
                try call()
            }
        }

        @Test func `a publisher survives kill -9 of the broker and every row arrives once, in order`() async throws {
            let kafka = try TemporaryKafka()
            let configuration = KafkaConfiguration(bootstrap: kafka.bootstrap, log: Log.line)
            try kafka.createTopics(["events", "cursor"], partitions: 1)
            let cursor = KafkaPartition(topic: "cursor", partition: 0)

            // The first offsets of a new cluster, before the group's coordinator exists, must not hang.
            let early = try KafkaTransactionalProducer(configuration, transactionalID: "early")
            try early.initTransactions(timeout: .seconds(20))
            try early.begin()
            try early.sendOffsets(group: "early", [.init(cursor, 1)])
            try early.commit(timeout: .seconds(20))

            let reader = try Reader(configuration, topics: ["events"])
            let rows = 3000
            let publisher = Publisher(configuration, topic: "events", cursor: cursor, rows: rows)
            for stop in [300, 1200] {
                try await wait(for: "row \(stop)") { publisher.published.load(ordering: .relaxed) >= stop }
                let inFlight = publisher.published.load(ordering: .relaxed)
                kafka.kill9()
                #expect(inFlight < rows, "it must be killed in the middle")
                try kafka.restart()
            }
            try await wait(for: "the publisher", limit: .seconds(90)) { publisher.hasEnded.withLock { $0 } }
            #expect(publisher.failure.withLock { $0 } == nil)
            #expect(publisher.published.load(ordering: .relaxed) == rows)
            let final = try KafkaAdmin(configuration).committedOffset(group: "publisher", cursor)
            #expect(final == .init(offset: Int64(rows), metadata: "e1"))
            // The reader's group may restart after a kill and read records again, so compare the topic's offsets.
            try await wait(for: "the last row") { reader.seen.values.last == "\(rows - 1)" }
            var topic: [Int64: String] = [:]
            for (record, value) in zip(reader.seen.records, reader.seen.values) { topic[record.offset] = value }
            let held = topic.sorted { $0.key < $1.key }.map(\.value)
            #expect(held == (0..<rows).map(String.init))
            print(
                "2 kills of the broker:",
                publisher.producers.load(ordering: .relaxed),
                "producers,",
                publisher.aborts.load(ordering: .relaxed),
                "aborts, \(rows) rows once each"
            )

            // Producers and consumers also end in time without a broker.
            kafka.kill9()
            let start = ContinuousClock.now
            reader.close()
            #expect(ContinuousClock.now - start < .seconds(10))
        }

        @Test func `a plain producer and a consumer survive a restart of the broker`() async throws {
            let kafka = try TemporaryKafka()
            let configuration = KafkaConfiguration(bootstrap: kafka.bootstrap, log: Log.line)
            try kafka.createTopics(["events"], partitions: 2)
            let reader = try Reader(
                configuration,
                topics: ["events"],
                onRecords: { reader, _ in reader.consumer?.commit(reader.seen.next) }
            )
            let producer = try KafkaProducer(configuration)
            let results = Locked<[Result<KafkaProducer.Delivery, KafkaError>]>([])
            for index in 0..<200 {
                try producer.produce(topic: "events", key: bytes("\(index)"), value: bytes("\(index)")) { result in
                    results.withLock { $0.append(result) }
                }
                if index == 100 {
                    try await wait(for: "some records") { !reader.seen.records.isEmpty }
                    kafka.kill9()
                }
            }
            try kafka.restart()
            try producer.flush(timeout: .seconds(30))
            #expect(results.withLock { $0.count } == 200)
            #expect(results.withLock { $0.compactMap(\.failure) } == [])
            // Records may be read again after the kill, but none is missing or written twice.
            try await wait(for: "all records") { Set(reader.seen.values).count == 200 }
            let places = Set(reader.seen.records.map { "\($0.partition)/\($0.offset)" })
            #expect(places.count == 200)
        }

        @Test func `a topic that must not be written is reported`() throws {
            let kafka = try Cluster.apache()
            let topic = try Cluster.apache.topic("read-only")
            try kafka.runTool(
                "org.apache.kafka.tools.AclCommand",
                "--bootstrap-server",
                kafka.bootstrap,
                "--add",
                "--deny-principal",
                "User:ANONYMOUS",
                "--operation",
                "Write",
                "--topic",
                topic
            )
            let configuration = try Cluster.apache.configuration()
            let plain = try KafkaProducer(configuration)
            let refusal = Locked<KafkaError?>(nil)
            try plain.produce(topic: topic, key: nil, value: []) { result in refusal.withLock { $0 = result.failure } }
            try plain.flush(timeout: .seconds(20))
            #expect(refusal.withLock { $0?.isTopicAuthorization } == true)

            let producer = try KafkaTransactionalProducer(configuration, transactionalID: Names.next("id"))
            try producer.initTransactions(timeout: .seconds(20))
            try producer.begin()
            try producer.produce(topic: topic, key: nil, value: [], record: 3)
            let error = #expect(throws: KafkaError.self) { try producer.commit(timeout: .seconds(20)) }
            #expect(error?.requiresAbort == true && error?.isFatal == false)
            #expect(producer.failures.map(\.record) == [3])
            #expect(producer.failures.first?.error.isTopicAuthorization == true)
            try producer.abort(timeout: .seconds(20))

            let free = try Cluster.apache.topic("writable")
            try producer.begin()
            try producer.produce(topic: free, key: nil, value: [])
            try producer.commit(timeout: .seconds(20))
        }
    }
}
