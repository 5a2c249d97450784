import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import Testing

@testable import SagamoreKafkaFront

extension LiveTests {
    /// A broker that stops answering in the middle of transactions.
    @Suite(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct StalledBrokerTests {
        @Test func `records arrive once and in order when the broker does not answer`() async throws {
            let seed = UInt64.random(in: 1...1_000_000)
            var random = SplitMix(state: seed)
            print("stalled broker: seed \(seed)")
            let broker = try TemporaryKafka()
            defer { broker.resume() }
            try broker.createTopics(["events", "cursors"], partitions: 2)
            let kafka = KafkaConfiguration(bootstrap: broker.bootstrap)
            let world = try OutboxWorld()
            let reader = try TopicReader(kafka, ["events"])
            let log = LogBook()
            // Long enough for a broker that answers, and over long before the broker does.
            let publisher = try world.publisher(kafka, cursors: "cursors", callLimit: .milliseconds(300), log: log)
            var written = 0
            for round in 0..<16 {
                let before = reader.count("events")
                for _ in 0..<10 {
                    try world.write(numbered(written + 1...written + 50, topic: "events"))
                    written += 50
                    publisher.ring()
                }
                try await wait(for: "progress in round \(round)") { reader.count("events") > before }
                try await Task.sleep(for: .milliseconds(Int(random.next() % 20)))
                broker.pause()
                // Shorter than one call, longer than all the repetitions of one, or in between.
                try await Task.sleep(for: .milliseconds([100, 700, 2_500][round % 3]))
                broker.resume()
            }
            try await wait(for: "the rest, \(written) records") { reader.count("events") >= written }
            try await wait(for: "deletion") { try world.count("outbox") == 0 }
            publisher.stop()
            #expect(reader.values("events") == expected(1...written))
            let replaced = log.count("Kafka did not answer within a transaction")
            print("stalled broker: \(replaced) producers replaced")
            #expect(replaced > 0, "the broker was never stopped within a call")
        }
    }
}
