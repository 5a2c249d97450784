import FoundationEssentials
import SagamoreEngine
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreServices
import Synchronization
import Testing

@testable import SagamoreKafkaFront

extension LiveTests {
    /// What a command consumer does when records disappear from a topic.
    @Suite(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
    struct RecreatedTopicTests {
        private let topic = Names.next("commands")
        private let group = Names.next("group")
        private let log = LogBook()
        private let seen = SeenCommands()
        private let count: Int32 = 8

        private func consumer() throws -> CommandConsumer {
            let kafka = try Cluster.apache.configuration()
            let consumer = CommandConsumer(
                kafka: kafka,
                group: group,
                readers: [makeReader(Route(commandTopic: topic, workflowType: "W", taskQueue: "q"))],
                history: FakeHistory { [seen] command, reply in
                    seen.add(command.origin.commandID, reply)
                },
                limits: ConsumerLimits(),
                shard: { _ in 0 },
                clock: { someTime },
                reachability: Reachability(bootstrap: kafka.bootstrap, log: log.logger),
                log: log.logger
            )
            try consumer.start()
            return consumer
        }

        private func publish(_ name: String, _ number: Int) throws {
            let producer = try KafkaProducer(try Cluster.apache.configuration())
            for number in 0..<number {
                for partition in 0..<count {
                    let value = #"{"command_id":"\#(name)-\#(partition)-\#(number)"}"#
                    try producer.produce(topic: topic, key: nil, value: Array(value.utf8), partition: partition)
                }
            }
            try producer.flush(timeout: .seconds(20))
        }

        private func waitForOffsets(_ offset: Int64) async throws {
            let admin = try KafkaAdmin(try Cluster.apache.configuration())
            let all = (0..<count).map { KafkaPartition(topic: topic, partition: $0) }
            try await wait(for: "the offsets") {
                let offsets = try admin.committedOffsets(group: group, all)
                return offsets.count == all.count && offsets.values.allSatisfy { $0.offset == offset }
            }
        }

        private func deleteTopic() throws {
            let kafka = try Cluster.apache()
            try kafka.runTool(
                "org.apache.kafka.tools.TopicCommand",
                "--bootstrap-server",
                kafka.bootstrap,
                "--delete",
                "--topic",
                topic
            )
        }

        /// The new topic holds either more or fewer records than the old one from the start.
        @Test(arguments: [50, 2])
        func `a topic that is deleted and created again is read from its beginning`(commands: Int) async throws {
            try Cluster.apache.create([topic], partitions: Int(count))
            let consumer = try consumer()
            try publish("old", 3)
            try await waitForOffsets(3)
            try deleteTopic()
            try Cluster.apache.create([topic], partitions: Int(count))
            try publish("new", commands)
            try? await wait(for: "the new commands", limit: .seconds(30)) {
                seen.count("new") == commands * Int(count)
            }
            #expect(seen.count("new") == commands * Int(count))
            #expect(seen.count("old") == 3 * Int(count))
            try await waitForOffsets(Int64(commands))
            consumer.stop()
        }

        /// The last commit before the stop must not write a position of the old topic's successor.
        @Test func `a consumer that stops before it notices a new topic commits no offset`() async throws {
            try Cluster.apache.create([topic], partitions: Int(count))
            let first = try consumer()
            try publish("old", 3)
            try await waitForOffsets(3)
            seen.heldPrefix.withLock { $0 = "new" }
            try deleteTopic()
            try Cluster.apache.create([topic], partitions: Int(count))
            try publish("new", 50)
            try await wait(for: "some new commands") { seen.count("new") >= 40 * Int(count) }
            seen.answerHeld()
            first.stop()
            seen.heldPrefix.withLock { $0 = "-" }
            let second = try consumer()
            try await waitForOffsets(50)
            #expect(seen.count("new") == 50 * Int(count))
            second.stop()
        }

        @Test func `records that expire unread are logged with their offsets`() async throws {
            try Cluster.apache.create([topic], partitions: Int(count))
            let first = try consumer()
            try publish("read", 3)
            try await waitForOffsets(3)
            first.stop()
            try publish("unread", 4)
            let file = try Cluster.apache().folder + "/\(topic).json"
            let deletion = #"{"version":1,"partitions":[{"topic":"\#(topic)","partition":2,"offset":5}]}"#
            try Data(deletion.utf8).write(to: URL(filePath: file))
            let kafka = try Cluster.apache()
            try kafka.runTool(
                "org.apache.kafka.tools.DeleteRecordsCommand",
                "--bootstrap-server",
                kafka.bootstrap,
                "--offset-json-file",
                file
            )
            let second = try consumer()
            try await waitForOffsets(7)
            #expect(seen.count("unread") == 4 * Int(count) - 2)
            try await wait(for: "the warning") { log.count("removed from their topic") > 0 }
            #expect(log.count("removed from their topic") == 1)
            let line = log.text.split(separator: "\n").first { $0.contains("removed from their topic") } ?? ""
            #expect(line.contains("partition=2") && line.contains("from=3") && line.contains("to=4"), "\(line)")
            second.stop()
        }
    }
}

/// The number of submissions of each command, by id.
private final class SeenCommands: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// Commands whose id has this prefix are answered only by `answerHeld`.
    let heldPrefix = Mutex("-")
    private let held = Mutex<[Reply<CommandOutcome>]>([])

    func add(_ id: String, _ reply: Reply<CommandOutcome>) {
        counts.withLock { $0[id, default: 0] += 1 }
        if id.hasPrefix(heldPrefix.withLock { $0 }) { return held.withLock { $0.append(reply) } }
        reply.succeed(.carriedOut)
    }

    func answerHeld() {
        let replies = held.withLock { held in
            defer { held = [] }
            return held
        }
        for reply in replies { reply.succeed(.carriedOut) }
    }

    /// The number of commands whose id has this prefix.
    func count(_ prefix: String) -> Int { counts.withLock { counts in counts.keys.count { $0.hasPrefix(prefix) } } }
}
