import SagamoreKafkaTestSupport
import Testing

@testable import SagamoreKafkaClient

extension BrokerTests {
    /// A broker that stops answering within a transaction.
    @Suite(.serialized, .enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct StalledBrokerTests {
        private let limit = Duration.seconds(20)
        private let kafka: TemporaryKafka
        private let configuration: KafkaConfiguration
        private let cursor = KafkaPartition(topic: "cursor", partition: 0)

        init() throws {
            kafka = try TemporaryKafka()
            try kafka.createTopics(["events", "cursor"], partitions: 1)
            // Offsets that stay unanswered fail when their connection is given up as idle.
            let properties = ["connections.max.idle.ms": "2000"]
            configuration = KafkaConfiguration(bootstrap: kafka.bootstrap, properties: properties, log: Log.line)
        }

        /// A producer that has committed a transaction, so that it knows all coordinators.
        private func producer() throws -> KafkaTransactionalProducer {
            let producer = try KafkaTransactionalProducer(configuration, transactionalID: "id")
            try producer.initTransactions(timeout: limit)
            try producer.begin()
            try produce(producer, "1")
            try sendOffset(producer, 1)
            try commit(producer)
            return producer
        }

        private func produce(_ producer: KafkaTransactionalProducer, _ value: String) throws(KafkaError) {
            try producer.produce(topic: "events", key: nil, value: bytes(value))
        }

        private func sendOffset(
            _ producer: KafkaTransactionalProducer,
            _ offset: Int64,
            _ limit: Duration = .seconds(20)
        ) throws(KafkaError) {
            try producer.sendOffsets(group: "group", [.init(cursor, offset)], timeout: limit)
        }

        /// Repeats the call until it says what became of the transaction.
        private func commit(_ producer: KafkaTransactionalProducer) throws(KafkaError) {
            let deadline = ContinuousClock.now + limit
            while true {
                do throws(KafkaError) {
                    return try producer.commit(timeout: limit)
                } catch {
                    guard error.isRetriable, !error.requiresAbort, .now < deadline else { throw error }
                }
            }
        }

        /// Calls that must not reach librdkafka.
        private func expectRefused(_ calls: [String: () throws(KafkaError) -> Void]) {
            for (name, call) in calls.sorted(by: { $0.key < $1.key }) {
                let error = #expect(throws: KafkaError.self, "\(name)") { try call() }
                #expect(error?.code.description == "_STATE", "\(name): \(error?.description ?? "")")
            }
        }

        @Test func `a commit that timed out is only repeated, and its outcome is learned`() async throws {
            let producer = try producer()
            let reader = try Reader(configuration, topics: ["events"])
            try producer.begin()
            try produce(producer, "2")
            try sendOffset(producer, 2)
            try producer.flush(timeout: limit)
            kafka.pause()
            defer { kafka.resume() }
            let error = #expect(throws: KafkaError.self) { try producer.commit(timeout: .milliseconds(500)) }
            #expect(error?.isTimeout == true && error?.isRetriable == true && error?.requiresAbort == false)
            expectRefused([
                "begin": { () throws(KafkaError) in try producer.begin() },
                "produce": { () throws(KafkaError) in try produce(producer, "3") },
                "sendOffsets": { () throws(KafkaError) in try sendOffset(producer, 3, .milliseconds(500)) },
                "abort": { () throws(KafkaError) in try producer.abort(timeout: .milliseconds(500)) },
            ])
            kafka.resume()
            try commit(producer)
            try producer.begin()
            try produce(producer, "3")
            try commit(producer)
            try await wait(for: "the records") { reader.seen.values.count >= 3 }
            #expect(reader.seen.values == ["1", "2", "3"])
            #expect(try KafkaAdmin(configuration).committedOffset(group: "group", cursor)?.offset == 2)
        }

        @Test func `a producer whose offsets stay unanswered is replaced, and nothing of its transaction is left`()
            async throws
        {
            let first = try producer()
            let reader = try Reader(configuration, topics: ["events"])
            try first.begin()
            try produce(first, "aborted")
            try first.flush(timeout: limit)
            kafka.pause()
            defer { kafka.resume() }
            let error = #expect(throws: KafkaError.self) { try sendOffset(first, 2, .milliseconds(500)) }
            #expect(error?.isFatal == true, "\(error?.description ?? "")")
            expectRefused([
                "sendOffsets": { () throws(KafkaError) in try sendOffset(first, 2, .milliseconds(500)) },
                "commit": { () throws(KafkaError) in try first.commit(timeout: .milliseconds(500)) },
                "abort": { () throws(KafkaError) in try first.abort(timeout: .milliseconds(500)) },
            ])
            kafka.resume()
            let second = try KafkaTransactionalProducer(configuration, transactionalID: "id")
            try second.initTransactions(timeout: limit)
            #expect(try KafkaAdmin(configuration).committedOffset(group: "group", cursor)?.offset == 1)
            try second.begin()
            try produce(second, "2")
            try sendOffset(second, 2)
            try commit(second)
            try await wait(for: "the records") { reader.seen.values.count >= 2 }
            #expect(reader.seen.values == ["1", "2"])
        }

        @Test func `an abort that timed out is only repeated`() async throws {
            let producer = try producer()
            let reader = try Reader(configuration, topics: ["events"])
            try producer.begin()
            try produce(producer, "aborted")
            try producer.flush(timeout: limit)
            kafka.pause()
            defer { kafka.resume() }
            let error = #expect(throws: KafkaError.self) { try producer.abort(timeout: .milliseconds(500)) }
            #expect(error?.isTimeout == true && error?.isRetriable == true)
            expectRefused([
                "begin": { () throws(KafkaError) in try producer.begin() },
                "commit": { () throws(KafkaError) in try producer.commit(timeout: .milliseconds(500)) },
            ])
            kafka.resume()
            try producer.abort(timeout: limit)
            try producer.begin()
            try produce(producer, "2")
            try commit(producer)
            try await wait(for: "the records") { reader.seen.values.count >= 2 }
            #expect(reader.seen.values == ["1", "2"])
        }
    }
}
