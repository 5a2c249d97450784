import Glibc
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

extension LiveTests {
    /// Publishers are killed, stopped and resumed, and the broker is killed. A `read_committed` consumer sees every
    /// record once and in order.
    @Suite(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct CrashTests {
        @Test func `records arrive once despite killed publishers, a killed broker and zombies`() async throws {
            let seed = UInt64.random(in: 1...1_000_000)
            var random = SplitMix(state: seed)
            print("crash test of the publisher: seed \(seed)")
            let broker = try TemporaryKafka()
            let (events, letters, cursors) = ("events", "letters", "cursors")
            try broker.createTopics([events, letters, cursors], partitions: 4)
            let kafka = KafkaConfiguration(bootstrap: broker.bootstrap)
            let world = try OutboxWorld()
            let reader = try TopicReader(kafka, [events, letters])
            var written = 0
            func write() throws {
                for _ in 0..<20 {
                    try world.write(numbered(written + 1...written + 20, topic: events))
                    try world.write(numbered(written / 20 + 1...written / 20 + 1, topic: letters))
                    written += 20
                }
            }
            func child() throws -> ChildPublisher { try startPublisher(of: world, broker, cursors: cursors) }
            var publisher = try child()
            var (kills, zombies, idle) = (0, 0, 0)
            var (asleep, awake): ([ChildPublisher], [ChildPublisher]) = ([], [])
            for round in 0..<14 {
                try write()
                let before = reader.count(events)
                try await wait(for: "progress in round \(round) at \(before)") { reader.count(events) > before }
                try await Task.sleep(for: .milliseconds(Int(random.next() % 60)))
                if reader.count(events) == written { idle += 1 }
                if round % 3 == 2 {
                    publisher.signal(SIGSTOP)
                    asleep.append(publisher)
                    zombies += 1
                } else {
                    publisher.kill9()
                    kills += 1
                }
                if round == 6 {
                    broker.kill9()
                    try broker.restart()
                }
                publisher = try child()
                if let zombie = asleep.first, random.next() % 2 == 0 {
                    zombie.signal(SIGCONT)
                    asleep.removeFirst()
                    // It runs until the test ends, so that it has time to do harm.
                    awake.append(zombie)
                }
            }
            for zombie in asleep { zombie.signal(SIGCONT) }
            try await wait(for: "the rest, \(written) records", limit: .seconds(120)) {
                reader.count(events) >= written && reader.count(letters) >= written / 20
            }
            // Give duplicates time to arrive.
            try await Task.sleep(for: .seconds(2))
            #expect(reader.values(events) == expected(1...written))
            #expect(reader.values(letters) == expected(1...written / 20))
            #expect(idle < kills + zombies, "only idle publishers were killed")
            print(
                "crash test of the publisher: \(written) records, \(kills) kills, \(zombies) zombies, 1 kill of the"
                    + " broker, \(idle) of them idle"
            )
            publisher.kill9()
            for zombie in asleep + awake { zombie.kill9() }
        }

        private func startPublisher(
            of world: OutboxWorld,
            _ broker: TemporaryKafka,
            cursors: String
        ) throws -> ChildPublisher {
            let name = Names.next("child")
            try world.handOver(to: name)
            return try ChildPublisher(
                .init(
                    url: world.url,
                    installation: world.installation,
                    process: name,
                    bootstrap: broker.bootstrap,
                    cursors: cursors
                )
            )
        }
    }
}
