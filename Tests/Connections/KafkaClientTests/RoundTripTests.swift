import SagamoreThreads
import Synchronization
import Testing

@testable import SagamoreKafkaClient

/// All tests that need brokers. They run one at a time because they share the brokers and the machine.
@Suite(.serialized) struct BrokerTests {}

extension BrokerTests {
    @Suite(.serialized) struct RoundTripTests {
        @Test(arguments: Cluster.all)
        func `keys, values and headers arrive as they were sent, nil and empty too`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("round-trip", partitions: 3)
            let headers = [
                KafkaHeader("traceparent", text: "00-aa-bb-01"), KafkaHeader("empty", []), KafkaHeader("nil", nil),
                KafkaHeader("again", text: "1"), KafkaHeader("again", text: "2"), KafkaHeader("ключ", [0, 255, 10]),
            ]
            let sent: [(key: [UInt8]?, value: [UInt8]?, headers: [KafkaHeader])] = [
                (bytes("key"), bytes("value"), headers), (nil, bytes("no key"), []), ([], bytes("empty key"), []),
                (bytes("tombstone"), nil, [headers[0]]), (bytes("empty value"), [], []),
                (nil, Array(repeating: 7, count: 900_000), []), (nil, nil, []), ([0, 1, 0], [0, 0], []),
            ]
            let producer = try KafkaProducer(configuration)
            let deliveries = Locked<[Result<KafkaProducer.Delivery, KafkaError>]>([])
            for record in sent {
                try producer.produce(
                    topic: topic,
                    key: record.key,
                    value: record.value,
                    headers: record.headers,
                    partition: 1,
                    timestamp: 1_700_000_000_123
                ) { result in deliveries.withLock { $0.append(result) } }
            }
            try producer.flush(timeout: .seconds(20))
            let partition = KafkaPartition(topic: topic, partition: 1)
            #expect(
                deliveries.withLock { $0 }
                    == (0..<Int64(sent.count)).map { .success(.init(partition: partition, offset: $0)) }
            )

            let reader = try Reader(configuration, topics: [topic])
            try await wait(for: "all records") { reader.seen.records.count >= sent.count }
            for (index, record) in reader.seen.records.enumerated() {
                #expect(record.topic == topic && record.partition == 1 && record.offset == Int64(index))
                #expect(record.key == sent[index].key, "key of record \(index)")
                #expect(record.value == sent[index].value, "value of record \(index)")
                #expect(record.headers == sent[index].headers, "headers of record \(index)")
                #expect(record.timestamp == 1_700_000_000_123)
            }
            try await wait(for: "the end of all partitions") { reader.seen.caughtUp.count == 3 }
            #expect(reader.seen.caughtUp[partition] == Int64(sent.count))
            #expect(reader.seen.records.count == sent.count)
        }

        @Test(arguments: Cluster.all)
        func `the same key goes to the same partition, as with Kafka's own clients`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("keys", partitions: 8)
            let producer = try KafkaProducer(configuration)
            for index in 0..<64 { try producer.produce(topic: topic, key: bytes("k\(index % 8)"), value: []) }
            try producer.flush(timeout: .seconds(20))
            let reader = try Reader(configuration, topics: [topic])
            try await wait(for: "64 records") { reader.seen.records.count >= 64 }
            let places = Dictionary(grouping: reader.seen.records) { $0.key }.mapValues { Set($0.map(\.partition)) }
            #expect(places.count == 8)
            #expect(places.values.allSatisfy { $0.count == 1 })
            #expect(Set(reader.seen.records.map(\.partition)).count > 1)
        }

        @Test(arguments: Cluster.all)
        func `twenty thousand records arrive once each, in order, in bounded batches`(cluster: Cluster) async throws {
            let configuration = try cluster.configuration()
            let topic = try cluster.topic("many")
            let completions = Atomic(0)
            let producer = try KafkaProducer(configuration)
            for index in 0..<20_000 {
                try producer.produce(topic: topic, key: nil, value: bytes("\(index)")) { _ in
                    completions.add(1, ordering: .relaxed)
                }
            }
            try producer.flush(timeout: .seconds(30))
            #expect(completions.load(ordering: .relaxed) == 20_000)
            let reader = try Reader(configuration, topics: [topic])
            try await wait(for: "20,000 records") { reader.seen.records.count >= 20_000 }
            #expect(reader.seen.values == (0..<20_000).map(String.init))
            #expect(reader.seen.batches.allSatisfy { $0 <= 500 })
            #expect(reader.seen.batches.contains { $0 > 100 })
        }
    }
}
