import SagamoreEngine
import SagamoreJSONText
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

/// All tests that need brokers and a database. They run one at a time.
@Suite(.serialized) struct LiveTests {}

extension LiveTests {
    struct PublisherTests {
        @Test(arguments: Cluster.all) func `records arrive in order, once, and are deleted`(_ cluster: Cluster)
            async throws
        {
            let (topic, other, cursors) = (Names.next("events"), Names.next("dlq"), Names.next("cursors"))
            try cluster.create([topic, other, cursors])
            let world = try OutboxWorld()
            let kafka = try cluster.configuration()
            let reader = try TopicReader(kafka, [topic, other])
            try world.write(numbered(1...10, topic: topic))
            let publisher = try world.publisher(kafka, cursors: cursors)
            try await wait(for: "the first records") { reader.count(topic) == 10 }
            for part in 0..<20 {
                try world.write(numbered(11 + part * 100...110 + part * 100, topic: topic))
                try world.write(numbered(1 + part...1 + part, topic: other))
                publisher.ring()
            }
            try await wait(for: "all") { reader.count(topic) >= 2_010 && reader.count(other) >= 20 }
            #expect(reader.values(topic) == expected(1...2_010))
            #expect(reader.values(other) == expected(1...20))
            for record in reader.seen { #expect(record.headers == [KafkaHeader("number", record.value)]) }
            try await wait(for: "deletion") { try world.count("outbox") == 0 }
            publisher.stop()

            // The next publisher continues where this one stopped.
            try world.write(numbered(2_011...2_015, topic: topic))
            let next = try world.publisher(kafka, cursors: cursors)
            try await wait(for: "the next publisher's records") { reader.count(topic) == 2_015 }
            next.stop()
            #expect(reader.values(topic) == expected(1...2_015))
        }

        /// Needs a real broker: the development broker creates a topic when a client first asks for it.
        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
        func `events of a missing topic wait, and other topics continue`() async throws {
            let cluster = Cluster.apache
            let (topic, ghost, cursors) = (Names.next("events"), Names.next("ghost"), Names.next("cursors"))
            try cluster.create([topic, cursors])
            let world = try OutboxWorld()
            let kafka = try cluster.configuration()
            let log = LogBook()
            let reader = try TopicReader(kafka, [topic])
            let publisher = try world.publisher(kafka, cursors: cursors, log: log)
            for part in 0..<10 {
                try world.write(numbered(1 + part * 10...10 + part * 10, topic: topic))
                try world.write(numbered(1 + part * 10...10 + part * 10, topic: ghost))
                publisher.ring()
            }
            try await wait(for: "the existing topic") { reader.count(topic) == 100 }
            #expect(log.count("events cannot be written to their topic and wait: create the topic") == 1)
            #expect(log.text.contains(ghost))
            try cluster.create([ghost])
            let second = try TopicReader(kafka, [ghost])
            try world.write(numbered(101...105, topic: topic))
            publisher.ring()
            try await wait(for: "the records that waited") { second.count(ghost) == 100 }
            try world.write(numbered(101...110, topic: ghost))
            publisher.ring()
            try await wait(for: "the later records") { second.count(ghost) == 110 && reader.count(topic) == 105 }
            #expect(second.values(ghost) == expected(1...110))
            #expect(reader.values(topic) == expected(1...105))
            try await wait(for: "deletion") { try world.count("outbox") == 0 }
            publisher.stop()
        }

        @Test func `events of a forbidden topic wait, and other topics continue`() async throws {
            let cluster = Cluster.development
            let (topic, closed, cursors) = (Names.next("events"), Names.next("closed"), Names.next("cursors"))
            try cluster.create([topic, closed, cursors])
            let world = try OutboxWorld()
            let kafka = try cluster.configuration()
            let reader = try TopicReader(kafka, [topic])
            try Cluster.development().refuse(closed, with: .topicAuthorizationFailed)
            let publisher = try world.publisher(kafka, cursors: cursors)
            try world.write(numbered(1...5, topic: closed) + numbered(1...20, topic: topic))
            publisher.ring()
            try await wait(for: "the open topic") { reader.count(topic) == 20 }
            try Cluster.development().refuse(closed, with: nil)
            let second = try TopicReader(kafka, [closed])
            try await wait(for: "the closed topic") { second.count(closed) == 5 }
            #expect(second.values(closed) == expected(1...5))
            publisher.stop()
        }

        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
        func `events that are too large are sent without their result or moved to the dead events`() async throws {
            let (topic, cursors) = (Names.next("events"), Names.next("cursors"))
            try Cluster.apache.create([topic, cursors], partitions: 1, settings: ["max.message.bytes": "3000"])
            let world = try OutboxWorld()
            let kafka = try Cluster.apache.configuration()
            let reader = try TopicReader(kafka, [topic])
            let log = LogBook()
            let publisher = try world.publisher(kafka, cursors: cursors, log: log)
            // Random text does not compress.
            var random = SplitMix(state: 1)
            let noise = String((0..<4_000).map { _ in Character(Unicode.Scalar(UInt8(97 + random.next() % 26))) })
            let event = Array(#"{"command_id":"c","status":"passed","sequence":2,"result":"\#(noise)"}"#.utf8)
            let failed = Array(
                #"{"command_id":"d","status":"failed","sequence":2,"failure":{"type":"T","message":"\#(noise)"}}"#.utf8
            )
            let hopeless = Array("{\"command_id\":\"\(noise)\"}".utf8)
            func record(_ value: [UInt8]) -> OutboxRecord {
                OutboxRecord(topic: topic, key: Array("key-0".utf8), value: value, headers: [])
            }
            try world.write(
                numbered(1...30, topic: topic, keys: 1) + [record(event)] + numbered(31...40, topic: topic, keys: 1)
                    + [record(hopeless)] + numbered(41...50, topic: topic, keys: 1) + [record(failed)]
            )
            publisher.ring()
            try await wait(for: "the records that fit") { reader.count(topic) == 52 }
            let smaller = #"{"command_id":"c","status":"passed","sequence":2,"result_omitted":true}"#
            let before: [String] = (1...30).map { "\($0)" }
            let after: [String] = (31...50).map { "\($0)" }
            let text = "\(noise.prefix(200))… (shortened, 4000 bytes)"
            let shortened =
                #"{"command_id":"d","status":"failed","sequence":2,"failure":{"type":"T","message":"\#(text)"}}"#
            #expect(reader.values(topic)["key-0"] == before + [smaller] + after + [shortened])
            #expect(try world.count("dead_events") == 1)
            #expect(log.count("moved to dead_events") == 1)
            try await wait(for: "deletion") { try world.count("outbox") == 0 }
            publisher.stop()
        }

        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
        func `a dead letter that is too large is shortened`() async throws {
            let (topic, cursors) = (Names.next("dlq"), Names.next("cursors"))
            try Cluster.apache.create([topic, cursors], partitions: 1)
            let small = Names.next("small")
            try Cluster.apache.create([small], partitions: 1, settings: ["max.message.bytes": "3000"])
            let world = try OutboxWorld()
            let kafka = try Cluster.apache.configuration()
            let reader = try TopicReader(kafka, [topic, small])
            let log = LogBook()
            let publisher = try world.publisher(kafka, cursors: cursors, log: log)
            var random = SplitMix(state: 1)
            let noise = (0..<1_500_000).map { _ in UInt8(97 + random.next() % 26) }
            let values = [
                [UInt8](repeating: UInt8(ascii: "g"), count: 1_048_480),
                [UInt8](repeating: UInt8(ascii: "x"), count: 1_500_000), noise,
            ]
            func letters(_ topic: String, _ headers: [KafkaHeader]) throws -> [OutboxRecord] {
                let commands = makeReader(Route(commandTopic: "saga.commands", deadLetterTopic: topic))
                return try values.map { value in
                    let record = record(bytes: value, headers: headers)
                    guard case .deadLetter(let letter) = commands.read(record, at: someTime) else {
                        throw NotThis("a command")
                    }
                    return letter
                }
            }
            let large = KafkaHeader("large", Array(noise.prefix(5_000)))
            try world.write(
                letters(topic, [KafkaHeader("mine", text: "v"), KafkaHeader("none", nil)])
                    + letters(small, [large])
            )
            publisher.ring()
            try await wait(for: "the letters") { reader.count(topic) == 3 && reader.count(small) == 3 }
            #expect(try world.count("dead_events") == 0)
            #expect(log.count("dead events") == 0)
            for name in [topic, small] {
                for (value, record) in zip(values, reader.seen.filter { $0.topic == name }) {
                    func header(_ name: String) -> String? {
                        record.headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
                    }
                    let rest = try #require(record.value)
                    #expect(rest.count < value.count && value.starts(with: rest))
                    #expect(header("shortened.value_bytes") == String(value.count))
                    #expect(header("error.code") == "INVALID_JSON")
                    #expect(header("source.topic") == "saga.commands")
                    #expect(header("source.partition") == "3")
                    #expect(header("source.offset") == "17")
                    if name == topic {
                        #expect(rest.count > 500_000, "not shortened more than necessary")
                        #expect(record.headers.prefix(2) == [KafkaHeader("mine", text: "v"), KafkaHeader("none", nil)])
                    }
                }
            }
            try await wait(for: "deletion") { try world.count("outbox") == 0 }
            publisher.stop()
        }

        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
        func `a restored database goes on behind what was published`() async throws {
            let (topic, cursors) = (Names.next("events"), Names.next("cursors"))
            try Cluster.apache.create([topic, cursors])
            let kafka = try Cluster.apache.configuration()
            let reader = try TopicReader(kafka, [topic])
            let world = try OutboxWorld(leavesNumbersOut: true)
            try world.write(numbered(1...10, topic: topic))
            let publisher = try world.publisher(kafka, cursors: cursors)
            try await wait(for: "the records") { reader.count(topic) == 10 }
            publisher.stop()

            let restored = try OutboxWorld(leavesNumbersOut: true)
            try restored.write(numbered(11...13, topic: topic))
            let log = LogBook()
            let next = try restored.publisher(kafka, cursors: cursors, installation: world.installation, log: log)
            try await wait(for: "the new records") { reader.count(topic) == 13 }
            #expect(reader.values(topic) == expected(1...13))
            next.stop()
            #expect(log.text.contains("the database was restored to an earlier state; events go on"))
            let again = try restored.publisher(kafka, cursors: cursors, installation: world.installation)
            try restored.write(numbered(14...14, topic: topic))
            try await wait(for: "the last record") { reader.count(topic) == 14 }
            again.stop()
        }

        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
        func `nothing is published from a restored database whose clock is behind`() async throws {
            let (topic, cursors) = (Names.next("events"), Names.next("cursors"))
            try Cluster.apache.create([topic, cursors])
            let kafka = try Cluster.apache.configuration()
            let reader = try TopicReader(kafka, [topic])
            let world = try OutboxWorld()
            try world.write(numbered(1...10, topic: topic))
            let publisher = try world.publisher(kafka, cursors: cursors)
            try await wait(for: "the records") { reader.count(topic) == 10 }
            publisher.stop()

            let restored = try OutboxWorld()
            try restored.write(numbered(1...3, topic: topic))
            let log = LogBook()
            let refused = try restored.publisher(kafka, cursors: cursors, installation: world.installation, log: log)
            try await wait(for: "the refusal") { log.text.contains("restored to an earlier state") }
            #expect(log.text.contains("PUBLISHING HAS STOPPED"))
            refused.stop()
            #expect(try restored.count("outbox") == 3)
            #expect(reader.count(topic) == 10)
        }

        @Test(arguments: Cluster.all)
        func `the database's position counts when the cursor has expired`(_ cluster: Cluster) async throws {
            let (topic, cursors) = (Names.next("events"), Names.next("cursors"))
            try cluster.create([topic, cursors])
            let kafka = try cluster.configuration()
            let reader = try TopicReader(kafka, [topic])
            let world = try OutboxWorld()
            try world.write(numbered(1...10, topic: topic))
            let store = try world.makeStore()()
            try store.record([topic: 6], of: 0)
            try store.record([topic: 4], of: 0)
            #expect(try store.positions(of: 0) == [topic: 6], "never back")
            let publisher = try world.publisher(kafka, cursors: cursors)
            try await wait(for: "the rest") { reader.count(topic) == 4 }
            #expect(reader.values(topic) == expected(7...10))
            publisher.stop()
        }

        @Test func `nothing is published from a shard that another process owns`() async throws {
            let (topic, cursors) = (Names.next("events"), Names.next("cursors"))
            try Cluster.development.create([topic, cursors])
            let kafka = try Cluster.development.configuration()
            let reader = try TopicReader(kafka, [topic])
            let world = try OutboxWorld()
            try world.write(numbered(1...3, topic: topic))
            let own = world.process
            let publisher = try world.publisher(kafka, cursors: cursors)
            try await wait(for: "the records") { reader.count(topic) == 3 }
            publisher.stop()
            let idle = try world.publisher(kafka, cursors: cursors)
            try world.handOver(to: "another")
            idle.stop()
            let store = try OutboxWorld.makeStore(world.url, own)()
            #expect(try !store.standing(of: 0).isOwned)
            #expect(try store.standing(of: 0).outboxSequence == 3)
            #expect(try !store.standing(of: 7).isOwned)
        }

        @Test func `reads are limited in rows and bytes`() throws {
            let world = try OutboxWorld()
            let large = [UInt8](repeating: 120, count: 10_000)
            try world.write(
                (0..<10).map { OutboxRecord(topic: "t\($0 % 2)", key: nil, value: $0 == 9 ? nil : large, headers: []) }
            )
            let store = try world.makeStore()()
            func read(_ topics: OutboxQuery.Topics, _ after: Int64, _ rows: Int, _ bytes: Int) throws -> [Int64] {
                let query = OutboxQuery(shard: 0, topics: topics, after: after, rowLimit: rows, byteLimit: bytes)
                return try store.read(query).map(\.sequence)
            }
            #expect(try read(.allBut([]), 0, 100, 1 << 20) == Array(1...10))
            #expect(try read(.allBut([]), 0, 3, 1 << 20) == [1, 2, 3])
            #expect(try read(.allBut([]), 2, 100, 25_000) == [3, 4, 5])
            #expect(try read(.allBut([]), 0, 100, 1) == [1], "the first one always")
            #expect(try read(.allBut(["t0"]), 3, 100, 1 << 20) == [4, 6, 8, 10])
            #expect(try read(.only("t0"), 3, 100, 1 << 20) == [5, 7, 9])
            let rows = try store.read(
                OutboxQuery(shard: 0, topics: .allBut([]), after: 8, rowLimit: 9, byteLimit: 1 << 20)
            )
            #expect(rows[0].record.value == large && rows[1].record.value == nil && rows[1].record.key == nil)

            let range = OutboxRange(shard: 0, topic: "t0", after: 0, through: 7)
            #expect(try store.delete(range, limit: 2) == 3)
            #expect(try store.delete(range, limit: 9) == 7)
            #expect(try store.delete(range, limit: 9) == nil)
            #expect(try read(.allBut([]), 0, 100, 1 << 20) == [2, 4, 6, 8, 9, 10])
            try store.insertDeadEvent(rows[0], shard: 0, error: "why")
            try store.insertDeadEvent(rows[0], shard: 0, error: "again")
            #expect(try world.count("dead_events") == 1)
        }
    }
}
