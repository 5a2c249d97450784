import Glibc
import SagamoreEngine
import SagamoreKafkaClient
import SagamoreLogging
import SagamorePersistence
import SagamoreServices
import SagamoreThreads
import Synchronization
import Testing

@testable import SagamoreKafkaFront

/// Writes the `accepted` event of every command, many in a transaction, as a commit lane does.
final class AcceptingHistory: Sendable {
    private struct Waiting: Sendable {
        var records: [OutboxRecord] = []
        var replies: [Reply<CommandOutcome>] = []
    }
    private let waiting = Mutex(Waiting())
    private let bell = Doorbell()
    private let encoder = StatusEventJSON()
    let grew = Mutex<@Sendable () -> Void>({})

    func client() -> FakeHistory {
        FakeHistory(
            deadLetter: { [self] _, letter, reply in add(letter, reply) },
            submit: { [self] command, reply in
                var status = StatusEvent.Status.accepted
                if case .refuse = command.action { status = .rejected }
                let event = StatusEvent(
                    origin: command.origin,
                    status: status,
                    sequence: 1,
                    workflowID: command.key.workflowID,
                    workflowType: command.workflowType,
                    runID: nil,
                    at: someTime
                )
                add(encoder.encode(event), reply)
            }
        )
    }

    private func add(_ record: OutboxRecord, _ reply: Reply<CommandOutcome>) {
        waiting.withLock {
            $0.records.append(record)
            $0.replies.append(reply)
        }
        bell.ring()
    }

    func run(_ world: OutboxWorld) -> SystemThread {
        nonisolated(unsafe) let world = world
        return SystemThread.required("lane") { [self] in
            while !bell.isStopped {
                bell.wait(.seconds(1))
                let taken = waiting.withLock { waiting in
                    defer { waiting = Waiting() }
                    return waiting
                }
                guard !taken.records.isEmpty else { continue }
                do {
                    try world.write(taken.records)
                    for reply in taken.replies { reply.succeed(.carriedOut) }
                    grew.withLock { $0 }()
                } catch {
                    for reply in taken.replies { reply.fail(.unavailable("\(error)")) }
                }
            }
        }
    }

    func stop() { bell.stop() }
}

/// Ids of commands that were carried out.
private final class CommandSet: Sendable {
    private let ids = Mutex<Set<String>>([])

    func add(_ id: String) { ids.withLock { _ = $0.insert(id) } }
    func count(_ prefix: String) -> Int { ids.withLock { $0.count { $0.hasPrefix(prefix) } } }
}

/// Which front's process owns the shards.
private final class Owner: Sendable {
    let number = Mutex(1)
}

extension LiveTests {
    struct FrontTests {
        @Test(arguments: Cluster.all)
        func `commands cause their events`(_ cluster: Cluster) async throws {
            let name = Names.next("front")
            let world = try OutboxWorld()
            let lane = AcceptingHistory()
            let thread = lane.run(world)
            let route = Route(
                commandTopic: name + ".commands",
                workflowType: "Booking",
                taskQueue: "bookings",
                eventsTopic: name + ".events"
            )
            var configuration = try frontConfiguration(cluster, route)
            configuration.cursorTopic = name + ".cursors"
            let log = LogBook()
            let front = try KafkaFront(
                configuration: configuration,
                history: lane.client(),
                makeOutboxStore: world.makeStore(),
                namespaces: OneNamespace(),
                installationID: world.installation,
                shardCount: 1,
                shard: { _ in 0 },
                clock: { someTime },
                log: log.logger
            )
            lane.grew.withLock { $0 = { front.outboxGrew(0) } }
            front.start()
            front.ownershipChanged(ownsShards: true)
            try await wait(for: "the front") { front.isReady }
            let kafka = try cluster.configuration()
            let counts = try KafkaAdmin(kafka).partitionCounts(route.topics + [configuration.cursorTopic])
            for (topic, count) in counts { #expect(try count.get() == (topic == configuration.cursorTopic ? 16 : 8)) }

            let reader = try TopicReader(kafka, [route.eventsTopic, route.deadLetterTopic])
            let producer = try KafkaProducer(kafka)
            func send(_ text: String) throws {
                try producer.produce(topic: route.commandTopic, key: Array(text.utf8), value: Array(text.utf8))
            }
            try send(#"{"command_id":"first","order_id":"o"}"#)
            try send("nonsense")
            try send(#"{"command_id":"bad","status":1}"#)
            try producer.flush(timeout: .seconds(10))
            try await wait(for: "three records") { reader.seen.count == 3 }
            let values = Dictionary(grouping: reader.seen, by: \.topic).mapValues {
                $0.compactMap(\.value?.text).sorted()
            }
            #expect(values[route.deadLetterTopic] == ["nonsense"])
            #expect(values[route.eventsTopic]?.first?.contains(#""status":"rejected""#) == true)
            #expect(values[route.eventsTopic]?.last?.contains(#""order_id":"o","status":"accepted""#) == true)

            if cluster == .apache { try await largeLetter(route, kafka, reader) }

            let times = try timesOfSingleCommands(reader, send)
            let (burst, before, start) = (5_000, reader.seen.count, ContinuousClock.now)
            for number in 0..<burst { try send(#"{"command_id":"burst-\#(number)","order_id":"\#(number)"}"#) }
            try await wait(for: "the burst") { reader.seen.count >= before + burst }
            let taken = ContinuousClock.now - start
            print(
                "\(cluster): command to accepted p50 \(times[30]) p95 \(times[57]); burst of \(burst) in \(taken)"
                    + " (\(Int(Double(burst) / (taken / .seconds(1)))) a second)"
            )
            let ids = reader.seen.filter { $0.topic == route.eventsTopic }.compactMap(\.key?.text)
            #expect(Set(ids).count == ids.count && ids.count == burst + 62)
            lane.grew.withLock { $0 = {} }
            front.stop()
            lane.stop()
            thread.join()
            #expect(log.count("cannot be reached") == 0, "\(log.text)")
        }

        private func frontConfiguration(_ cluster: Cluster, _ route: Route) throws -> KafkaFrontConfiguration {
            switch cluster {
            case .development:
                KafkaFrontConfiguration(development: try Cluster.development(), routes: [route])
            case .apache:
                KafkaFrontConfiguration(kafka: try cluster.configuration(), routes: [route])
            }
        }

        private func timesOfSingleCommands(_ reader: TopicReader, _ send: (String) throws -> Void) throws -> [Duration]
        {
            var times: [Duration] = []
            for number in 0..<60 {
                let before = reader.seen.count
                let start = ContinuousClock.now
                try send(#"{"command_id":"single-\#(number)"}"#)
                while reader.seen.count == before { usleep(200) }
                times.append(.now - start)
                usleep(15_000)
            }
            return times.sorted()
        }

        /// Sends seven commands to each of eight partitions.
        private func sendToAllPartitions(_ producer: KafkaProducer, _ topic: String, _ kind: String) throws {
            for number in 0..<56 {
                let value = Array(#"{"command_id":"\#(kind)-\#(number)"}"#.utf8)
                try producer.produce(topic: topic, key: nil, value: value, partition: Int32(number % 8))
            }
            try producer.flush(timeout: .seconds(10))
        }

        @Test func `a server without shards reads no commands`() async throws {
            let name = Names.next("standby")
            let cluster = Cluster.all.last ?? .development
            let world = try OutboxWorld()
            let route = Route(
                commandTopic: name + ".commands",
                workflowType: "W",
                taskQueue: "q",
                eventsTopic: name + ".events"
            )
            var configuration = try frontConfiguration(cluster, route)
            configuration.cursorTopic = name + ".cursors"
            configuration.kafka = try cluster.configuration()
            func front(_ taken: CommandSet, _ owner: Owner, _ number: Int) throws -> KafkaFront {
                try KafkaFront(
                    configuration: configuration,
                    history: FakeHistory { command, reply in
                        // History answers this for a shard that another process owns.
                        guard owner.number.withLock({ $0 }) == number else {
                            return reply.fail(.unavailable("not owned"))
                        }
                        taken.add(command.origin.commandID)
                        reply.succeed(.carriedOut)
                    },
                    makeOutboxStore: world.makeStore(),
                    namespaces: OneNamespace(),
                    installationID: world.installation,
                    shardCount: 1,
                    shard: { _ in 0 },
                    clock: { someTime },
                    log: LogBook().logger
                )
            }
            let (first, second) = (CommandSet(), CommandSet())
            let owner = Owner()
            let standby = try front(second, owner, 2)
            standby.start()
            let active = try front(first, owner, 1)
            active.start()
            active.ownershipChanged(ownsShards: true)
            try await wait(for: "the front") { active.isReady }
            let producer = try KafkaProducer(configuration.kafka)
            func send(_ kind: String) throws { try sendToAllPartitions(producer, route.commandTopic, kind) }
            try send("before")
            try await wait(for: "all commands at the owner") { first.count("before") == 56 }
            #expect(second.count("") == 0)
            #expect(!standby.isReady)

            // The shards change owners.
            owner.number.withLock { $0 = 2 }
            active.ownershipChanged(ownsShards: false)
            standby.ownershipChanged(ownsShards: true)
            try send("after")
            try await wait(for: "all commands at the new owner") { second.count("after") == 56 }
            #expect(first.count("after") == 0)
            active.stop()
            standby.stop()
        }

        /// A value that is small when compressed makes a large dead letter. The letter arrives whole because its topic
        /// allows larger records.
        private func largeLetter(_ route: Route, _ kafka: KafkaConfiguration, _ reader: TopicReader) async throws {
            var compressing = kafka
            compressing.properties.merge(["compression.type": "gzip", "message.max.bytes": "4000000"]) { $1 }
            let producer = try KafkaProducer(compressing)
            let value = [UInt8](repeating: UInt8(ascii: "x"), count: 1_500_000)
            try producer.produce(topic: route.commandTopic, key: nil, value: value)
            try producer.flush(timeout: .seconds(10))
            try await wait(for: "the large letter") { reader.count(route.deadLetterTopic) == 2 }
            let letter = reader.seen.last { $0.topic == route.deadLetterTopic }
            #expect(letter?.value?.count == value.count)
            #expect(letter?.headers.contains { $0.name == OversizeLetter.valueHeader } == false)
        }

        @Test func `an unreachable broker is reported once and used when it returns`() async throws {
            let log = LogBook()
            var configuration = KafkaFrontConfiguration(kafka: KafkaConfiguration(bootstrap: "127.0.0.1:1"))
            configuration.topicCreation = .none
            let world = try OutboxWorld()
            let front = try KafkaFront(
                configuration: configuration,
                history: FakeHistory { _, reply in reply.succeed(.carriedOut) },
                makeOutboxStore: world.makeStore(),
                namespaces: OneNamespace(),
                installationID: world.installation,
                shardCount: 1,
                shard: { _ in 0 },
                clock: { someTime },
                log: log.logger
            )
            front.start()
            front.ownershipChanged(ownsShards: true)
            try await wait(for: "the warning") { log.count("Kafka cannot be reached") == 1 }
            // Two more attempts of 2 s each must log nothing.
            try await Task.sleep(for: .seconds(5))
            #expect(!front.isReady)
            #expect(log.text.split(separator: "\n").count == 1, "\(log.text)")
            front.stop()
        }
    }
}
