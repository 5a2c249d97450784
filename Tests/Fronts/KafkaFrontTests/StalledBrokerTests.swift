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
            // Offsets that stay unanswered fail when their connection is given up as idle.
            let kafka = KafkaConfiguration(
                bootstrap: broker.bootstrap,
                properties: ["connections.max.idle.ms": "1000"]
            )
            let world = try OutboxWorld()
            let reader = try TopicReader(kafka, ["events"])
            let log = LogBook()
            func replacements() -> Int { log.count("Kafka did not answer within a transaction") }
            // Enough for a broker that answers; calls to a paused one time out.
            let publisher = try world.publisher(kafka, cursors: "cursors", callLimit: .milliseconds(300), log: log)
            var written = 0
            func write() throws {
                for _ in 0..<10 {
                    try world.write(numbered(written + 1...written + 50, topic: "events"))
                    written += 50
                    publisher.ring()
                }
            }
            for round in 0..<12 {
                let (before, replaced) = (reader.count("events"), replacements())
                try write()
                try await wait(for: "progress in round \(round)") { reader.count("events") > before }
                try await Task.sleep(for: .milliseconds(Int(random.next() % 20)))
                broker.pause()
                try write()
                switch round % 3 {
                case 0: try await Task.sleep(for: .milliseconds(100))
                case 1: try await Task.sleep(for: .milliseconds(700))
                default: try await wait(for: "a replaced producer") { replacements() > replaced }
                }
                broker.resume()
            }
            try await wait(for: "the rest, \(written) records") { reader.count("events") >= written }
            try await wait(for: "deletion") { try world.count("outbox") == 0 }
            publisher.stop()
            #expect(reader.values("events") == expected(1...written))
            print("stalled broker: \(replacements()) producers replaced")
        }
    }
}
