import SagamoreEngine
import SagamoreKafkaClient
import SagamoreLogging
import SagamoreServices
import Synchronization
import Testing

@testable import SagamoreKafkaFront

extension LiveTests {
    struct ConsumerTests {
        private let cluster = Cluster.development
        private let topic = Names.next("commands")
        private let group = Names.next("group")

        private let admin: KafkaAdmin

        init() throws {
            admin = try KafkaAdmin(try cluster.configuration())
            try cluster.create([topic], partitions: 3)
        }

        private func consumer(
            _ history: FakeHistory,
            topics: [String]? = nil,
            limits: ConsumerLimits = ConsumerLimits(),
            log: LogBook = LogBook()
        ) throws -> CommandConsumer {
            let readers = (topics ?? [topic]).map { name in
                makeReader(Route(commandTopic: name, workflowType: "W", taskQueue: "q"))
            }
            let kafka = try cluster.configuration()
            let consumer = CommandConsumer(
                kafka: kafka,
                group: group,
                readers: readers,
                history: history,
                limits: limits,
                shard: { _ in 0 },
                clock: { someTime },
                reachability: Reachability(bootstrap: kafka.bootstrap, log: log.logger),
                log: log.logger
            )
            try consumer.start()
            return consumer
        }

        /// Commands `1…count` in each of three partitions.
        private func publish(_ count: Int, from first: Int = 1) throws {
            let producer = try KafkaProducer(try cluster.configuration())
            for number in first..<first + count {
                for partition in 0..<3 as Range<Int32> {
                    let value = #"{"command_id":"\#(number)","workflow_id":"w\#(partition)"}"#
                    try producer.produce(topic: topic, key: nil, value: Array(value.utf8), partition: partition)
                }
            }
            try producer.flush(timeout: .seconds(20))
        }

        private func committed() throws -> [Int64?] {
            try (0..<3 as Range<Int32>).map { number in
                try admin.committedOffset(group: group, KafkaPartition(topic: topic, partition: number))?.offset
            }
        }

        @Test func `commands arrive in order, and offsets follow what is durable`() async throws {
            let held = Mutex<[(Int, Reply<CommandOutcome>)]>([])
            let seen = Mutex<[String: [String]]>([:])
            let history = FakeHistory { command, reply in
                seen.withLock { $0[command.key.workflowID, default: []].append(command.origin.commandID) }
                // One command of partition 1 stays unanswered at first.
                if command.key.workflowID == "w1", command.origin.commandID == "40" {
                    return held.withLock { $0.append((40, reply)) }
                }
                reply.succeed(.carriedOut)
            }
            let consumer = try consumer(history)
            try publish(100)
            try await wait(for: "all commands") { seen.withLock { $0.values.reduce(0) { $0 + $1.count } } == 300 }
            for partition in 0..<3 { #expect(seen.withLock { $0["w\(partition)"] } == (1...100).map(String.init)) }
            try await wait(for: "the offsets") { try committed() == [100, 39, 100] }
            held.withLock { $0.removeFirst() }.1.succeed(.carriedOut)
            try await wait(for: "the last offset") { try committed() == [100, 100, 100] }
            consumer.stop()
        }

        @Test func `failed commands are retried in order and stall only their partition`() async throws {
            let broken = Mutex(true)
            let done = Mutex<[String: [Int]]>([:])
            let history = FakeHistory { command, reply in
                let number = Int(command.origin.commandID) ?? 0
                if command.key.workflowID == "w1", number >= 20, broken.withLock({ $0 }) {
                    return reply.fail(.unavailable("later"))
                }
                done.withLock { $0[command.key.workflowID, default: []].append(number) }
                reply.succeed(.carriedOut)
            }
            let consumer = try consumer(history)
            try publish(300)
            try await wait(for: "the other partitions, and what does not fail of this one") {
                done.withLock { $0["w0"]?.count == 300 && $0["w2"]?.count == 300 && $0["w1"]?.count == 19 }
            }
            #expect(done.withLock { $0["w1"] } == Array(1...19))
            try await wait(for: "their offsets") { try committed() == [300, 19, 300] }
            broken.withLock { $0 = false }
            try await wait(for: "the held-up partition") { done.withLock { $0["w1"]?.count == 300 } }
            #expect(done.withLock { $0["w1"] } == Array(1...300))
            try await wait(for: "all offsets") { try committed() == [300, 300, 300] }
            consumer.stop()
        }

        @Test func `commands in flight stay within the limits`() async throws {
            let open = Mutex<[Reply<CommandOutcome>]>([])
            let most = Mutex(0)
            let total = Mutex(0)
            let history = FakeHistory { _, reply in
                open.withLock { $0.append(reply) }
                total.withLock { $0 += 1 }
                most.withLock { most in most = max(most, open.withLock { $0.count }) }
            }
            var limits = ConsumerLimits()
            limits.perPartition = 200
            limits.inAll = 400
            limits.perShard = 150
            let consumer = try consumer(history, limits: limits)
            try publish(5_000)
            try await wait(for: "a full window") { open.withLock { $0.count } >= 150 }
            try await wait(for: "all", limit: .seconds(120)) {
                // Read before the replies are taken, so every counted command is among them.
                let areAllThere = total.withLock { $0 } == 15_000
                let replies = open.withLock { open in
                    defer { open = [] }
                    return open
                }
                for reply in replies { reply.succeed(.carriedOut) }
                return areAllThere
            }
            #expect(most.withLock { $0 } == 150)
            try await wait(for: "all offsets") { try committed() == [5_000, 5_000, 5_000] }
            consumer.stop()
        }

        @Test func `an unreadable record and a command that cannot be written become dead letters`() async throws {
            let letters = Mutex<[(RecordCoordinates, OutboxRecord)]>([])
            let tries = Mutex(0)
            let history = FakeHistory(
                deadLetter: { source, letter, reply in
                    letters.withLock { $0.append((source, letter)) }
                    reply.succeed(.rejected)
                },
                submit: { command, reply in
                    guard command.origin.commandID == "poison" else { return reply.succeed(.carriedOut) }
                    tries.withLock { $0 += 1 }
                    reply.fail(RequestError(.internalError, "it can't be written"))
                }
            )
            var limits = ConsumerLimits()
            limits.failures = 3
            let consumer = try consumer(history, limits: limits)
            let producer = try KafkaProducer(try cluster.configuration())
            for text in ["nonsense", #"{"command_id":"poison"}"#, #"{"command_id":"good"}"#] {
                try producer.produce(topic: topic, key: Array("k".utf8), value: Array(text.utf8), partition: 0)
            }
            try producer.flush(timeout: .seconds(20))
            try await wait(for: "the offset") { try committed()[0] == 3 }
            #expect(tries.withLock { $0 } == 3)
            let all = letters.withLock { $0 }
            #expect(all.map(\.0.offset) == [0, 1])
            #expect(all.map { $0.1.header("error.code") } == ["INVALID_JSON", "NOT_CARRIED_OUT"])
            #expect(all[1].1.value?.text == #"{"command_id":"poison"}"#)
            #expect(all[1].1.topic == topic + ".dlq")
            consumer.stop()
        }
    }
}
