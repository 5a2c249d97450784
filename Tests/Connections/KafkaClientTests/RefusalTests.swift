import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreThreads
import Synchronization
import Testing

extension BrokerTests {
    @Suite(.serialized) struct RefusalTests {
        /// Needs a real broker: the development broker creates every topic that a client asks for.
        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"), arguments: [Cluster.apache])
        func `an unknown topic is told apart from a known one`(cluster: Cluster) throws {
            let configuration = try cluster.configuration()
            let admin = try KafkaAdmin(configuration)
            let known = try cluster.topic("known", partitions: 5)
            let unknown = Names.next("unknown")
            for _ in 0..<2 {
                // Ask twice: the request must not create the topic.
                let counts = try admin.partitionCounts([known, unknown])
                #expect(try counts[known]?.get() == 5)
                #expect(counts[unknown]?.failure?.isUnknownTopic == true)
                #expect(counts.count == 2)
            }
        }

        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"), arguments: [Cluster.apache])
        func `a consumer says that its topic is missing, and reads it once it is there`(
            cluster: Cluster
        ) async throws {
            let configuration = try cluster.configuration()
            let topic = Names.next("later")
            let reader = try Reader(configuration, topics: [topic])
            try await wait(for: "the error") { reader.seen.errors.contains { $0.isUnknownTopic } }
            switch cluster {
            case .development: try Cluster.development().createTopics([topic], partitions: 2)
            case .apache: try Cluster.apache().createTopics([topic], partitions: 2)
            }
            try write(configuration, to: topic, partition: 1, ["hello"])
            try await wait(for: "its record") { reader.seen.values == ["hello"] }
            #expect(reader.seen.errors.allSatisfy { !$0.isFatal })
        }

        @Test(arguments: Cluster.all)
        func `a record that the client knows to be too large is refused at once`(cluster: Cluster) throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("large")
            let producer = try KafkaProducer(configuration)
            let error = #expect(throws: KafkaError.self) {
                try producer.produce(topic: topic, key: nil, value: Array(repeating: 0, count: 2_000_000)) { _ in
                    Issue.record("a record that was not taken has no completion")
                }
            }
            #expect(error?.isMessageTooLarge == true && error?.isRecordRefused == true)
            try producer.flush(timeout: .seconds(5))
        }

        @Test func `a forbidden topic is reported`() throws {
            let topic = try Cluster.development.topic("forbidden")
            try Cluster.development().refuse(topic, with: .topicAuthorizationFailed)
            let admin = try KafkaAdmin(Cluster.development.configuration())
            #expect(try admin.partitionCounts([topic])[topic]?.failure?.isTopicAuthorization == true)
            try Cluster.development().refuse(topic, with: nil)
            #expect(try admin.partitionCounts([topic])[topic]?.get() == 1)
        }

        @Test func `an error about a property contains its name but not its value`() throws {
            let name = #expect(throws: KafkaError.self) {
                _ = try KafkaAdmin(.init(bootstrap: "127.0.0.1:1", properties: ["sasl.pasword": "hush"]))
            }
            #expect(name?.description.contains("sasl.pasword") == true)
            #expect(name?.description.contains("hush") == false)
            let value = #expect(throws: KafkaError.self) {
                _ = try KafkaAdmin(.init(bootstrap: "127.0.0.1:1", properties: ["socket.timeout.ms": "hush"]))
            }
            #expect(value?.description.contains("socket.timeout.ms") == true)
            #expect(value?.description.contains("hush") == false)
        }

        @Test func `without a broker every call and every client ends in time`() async throws {
            let lines = Locked<[KafkaLogLine]>([])
            let nowhere = KafkaConfiguration(
                bootstrap: "127.0.0.1:1",
                log: { line in lines.withLock { $0.append(line) } }
            )
            let start = ContinuousClock.now
            do {
                let admin = try KafkaAdmin(nowhere)
                let error = #expect(throws: KafkaError.self) { try admin.clusterID(timeout: .milliseconds(200)) }
                #expect(error?.isTimeout == true && error?.isRetriable == true)
                #expect(throws: KafkaError.self) { try admin.partitionCounts(["t"], timeout: .milliseconds(200)) }
                let topics = #expect(throws: KafkaError.self) {
                    try admin.createTopics(["t"], partitions: 1, timeout: .milliseconds(200))
                }
                #expect(topics?.isTimeout == true)

                let results = Locked<[Result<KafkaProducer.Delivery, KafkaError>]>([])
                let late = try KafkaProducer(nowhere, deliveryTimeout: .milliseconds(300))
                try late.produce(topic: "t", key: nil, value: []) { result in results.withLock { $0.append(result) } }
                try await wait(for: "the record's failure") { results.withLock { $0.count } == 1 }
                #expect(results.withLock { $0.first?.failure?.isTimeout } == true)

                let closed = try KafkaProducer(nowhere)
                try closed.produce(topic: "t", key: nil, value: []) { result in results.withLock { $0.append(result) } }
                #expect(throws: KafkaError.self) { try closed.flush(timeout: .milliseconds(100)) }
                closed.close(timeout: .milliseconds(100))
                #expect(results.withLock { $0.last?.failure?.isPurged } == true, "closing fails what is left")
                #expect(throws: KafkaError.self) { try closed.produce(topic: "t", key: nil, value: []) }

                let producer = try KafkaTransactionalProducer(nowhere, transactionalID: "nobody")
                let transactions = #expect(throws: KafkaError.self) {
                    try producer.initTransactions(timeout: .milliseconds(300))
                }
                #expect(transactions?.isRetriable == true && transactions?.isFatal == false)

                let reader = try Reader(nowhere, topics: ["t"])
                try await wait(for: "an error") { reader.seen.errors.contains { $0.isUnreachable } }
                reader.close()
            }
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(lines.withLock { $0.contains { $0.level == .error && $0.text.contains("127.0.0.1:1") } })
        }

        @Test func `closing the development broker only disconnects its clients`() async throws {
            let broker = try KafkaDevelopmentBroker(topics: ["a", "b"], partitions: 3)
            let another = try KafkaDevelopmentBroker()
            #expect(broker.clusterID != another.clusterID && broker.bootstrap != another.bootstrap)
            let configuration = KafkaConfiguration(bootstrap: broker.bootstrap)
            let admin = try KafkaAdmin(configuration)
            #expect(try admin.partitionCounts(["a", "b"]).allSatisfy { try $0.value.get() == 3 })
            #expect(try !admin.clusterID().isEmpty)
            try write(configuration, to: "a", ["1"])
            let reader = try Reader(configuration, topics: ["a"])
            try await wait(for: "a record") { reader.seen.values == ["1"] }
            reader.consumer?.commit(reader.seen.next)
            broker.close()
            broker.close()
            #expect(throws: KafkaError.self) { try broker.createTopics(["c"]) }
            let start = ContinuousClock.now
            reader.close()
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
