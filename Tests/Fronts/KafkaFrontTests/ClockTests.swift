import SagamoreEngine
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreThreads
import Testing

@testable import SagamoreKafkaFront

extension LiveTests {
    /// A server whose clock differs from the broker's.
    @Suite(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct ClockTests {
        private struct Clock {
            var ahead = Interval.seconds(8 * 86_400)
            var readings = 0
        }

        @Test func `events wait while the clock is ahead of the broker's, and none is lost`() async throws {
            let (topic, other, cursors) = (Names.next("events"), Names.next("other"), Names.next("cursors"))
            try Cluster.apache.create([topic, cursors])
            try Cluster.apache.create([other], settings: ["message.timestamp.after.max.ms": "31536000000"])
            let world = try OutboxWorld()
            let kafka = try Cluster.apache.configuration()
            let reader = try TopicReader(kafka, [topic, other])
            let log = LogBook()
            let clock = Locked(Clock())
            let publisher = try world.publisher(
                kafka,
                cursors: cursors,
                clock: {
                    clock.withLock { clock in
                        clock.readings += 1
                        return wallClock() + clock.ahead
                    }
                },
                log: log
            )
            try world.write(numbered(1...20, topic: topic) + numbered(1...5, topic: other))
            publisher.ring()
            try await wait(for: "the other topic") { reader.count(other) == 5 }
            // From now on only the waiting topic is tried.
            let readings = clock.withLock { $0.readings }
            try await wait(for: "more attempts") { clock.withLock { $0.readings } >= readings + 3 }
            #expect(log.count("INVALID_TIMESTAMP") == 1, "reported once: \(log.text)")
            #expect(log.count("clock") == 1, "it says what to do: \(log.text)")
            #expect(try world.count("dead_events") == 0)
            #expect(reader.count(topic) == 0)

            clock.withLock { $0.ahead = .seconds(0) }
            try await wait(for: "the events that waited") { reader.count(topic) == 20 }
            #expect(reader.values(topic) == expected(1...20))
            try await wait(for: "the end of it in the log") { log.count("are published again") == 1 }
            try await wait(for: "deletion") { try world.count("outbox") == 0 }
            #expect(try world.count("dead_events") == 0)
            publisher.stop()
            #expect(reader.values(topic) == expected(1...20))
        }
    }
}
