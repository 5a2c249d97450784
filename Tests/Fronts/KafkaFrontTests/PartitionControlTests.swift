import SagamoreEngine
import SagamoreKafkaClient
import SagamoreServices
import SagamoreThreads
import Synchronization
import Testing

@testable import SagamoreKafkaFront

/// What a command consumer requests of its Kafka consumer.
struct PartitionControlTests {
    private let partition = KafkaPartition(topic: "saga.commands", partition: 3)
    private let control = RecordingControl()

    private func consumer(_ history: FakeHistory, _ limits: ConsumerLimits = ConsumerLimits()) -> CommandConsumer {
        let log = LogBook()
        let consumer = CommandConsumer(
            kafka: KafkaConfiguration(bootstrap: "127.0.0.1:1"),
            group: "group",
            readers: [makeReader()],
            history: history,
            limits: limits,
            shard: { _ in 0 },
            clock: { someTime },
            reachability: Reachability(bootstrap: "127.0.0.1:1", log: log.logger),
            log: log.logger
        )
        consumer.consumer.withLock { $0 = control }
        consumer.assigned([partition])
        return consumer
    }

    private func command(at offset: Int64) -> KafkaRecord {
        KafkaRecord(
            topic: partition.topic,
            partition: partition.partition,
            offset: offset,
            key: nil,
            value: Array(#"{"command_id":"\#(offset)"}"#.utf8)
        )
    }

    /// Whether a thread holds the partition's lock.
    private static func isLocked(_ partition: CommandPartition) -> Bool {
        let isLocked = Mutex(false)
        let thread = SystemThread.required("lock") {
            let isFree = partition.state.withLockIfAvailable { _ in true } ?? false
            isLocked.withLock { $0 = !isFree }
        }
        thread.join()
        return isLocked.withLock { $0 }
    }

    /// A resume that was decided after a pause must not be requested before it; the partition would stop forever.
    @Test(arguments: [(4, 100), (100, 4)])
    func `a partition is paused and resumed under the lock that guards the decision`(
        perPartition: Int,
        inAll: Int
    ) throws {
        let open = Mutex<[Reply<CommandOutcome>]>([])
        var limits = ConsumerLimits()
        limits.perPartition = perPartition
        limits.inAll = inAll
        let consumer = consumer(FakeHistory { _, reply in open.withLock { $0.append(reply) } }, limits)
        let assigned = try #require(consumer.partitions.withLock { $0[partition] })
        let locked = Mutex<[Bool]>([])
        control.watch {
            let isLocked = Self.isLocked(assigned)
            locked.withLock { $0.append(isLocked) }
        }
        consumer.receive((0..<4).map { command(at: $0) })
        consumer.submitWaiting()
        withExtendedLifetime(consumer) {
            for reply in open.withLock({ $0 }) { reply.succeed(.carriedOut) }
        }
        #expect(control.requests == [.commit(0), .pause, .commit(1), .commit(2), .resume, .commit(3), .commit(4)])
        #expect(locked.withLock { $0 } == Array(repeating: true, count: 7))
    }

    @Test func `a partition whose offsets go back starts over`() {
        let open = Mutex<[Reply<CommandOutcome>]>([])
        let seen = Mutex<[String]>([])
        let history = FakeHistory { command, reply in
            seen.withLock { $0.append(command.origin.commandID) }
            open.withLock { $0.append(reply) }
        }
        let consumer = consumer(history)
        consumer.receive([command(at: 7), command(at: 8)])
        consumer.submitWaiting()
        let old = open.withLock { $0 }
        old[0].fail(.unavailable("later"))
        // The old partition's stall does not hold up the new one.
        consumer.receive([command(at: 0), command(at: 1)])
        consumer.submitWaiting()
        #expect(seen.withLock { $0 } == ["7", "8", "0", "1"])
        // A late answer of the old partition does not concern the new one.
        withExtendedLifetime(consumer) {
            old[1].succeed(.carriedOut)
            for reply in open.withLock({ $0 }).dropFirst(2) { reply.succeed(.carriedOut) }
        }
        #expect(control.requests == [.commit(7), .forgetOffsets, .commit(0), .commit(1), .commit(2)])
    }

    /// Answers to a revoked partition's records free the window for the others.
    @Test func `records of a revoked partition leave the window when they are answered`() {
        let open = Mutex<[Reply<CommandOutcome>]>([])
        var limits = ConsumerLimits()
        limits.perShard = 2
        let consumer = consumer(FakeHistory { _, reply in open.withLock { $0.append(reply) } }, limits)
        consumer.receive([command(at: 7), command(at: 8), command(at: 9)])
        consumer.submitWaiting()
        consumer.receive([command(at: 0)])
        consumer.submitWaiting()
        #expect(open.withLock { $0.count } == 2)
        withExtendedLifetime(consumer) { for reply in open.withLock({ $0 }) { reply.succeed(.carriedOut) } }
        consumer.submitWaiting()
        #expect(open.withLock { $0.count } == 3)
        withExtendedLifetime(consumer) { open.withLock({ $0 }).last?.succeed(.carriedOut) }
        #expect(control.requests == [.commit(7), .forgetOffsets, .commit(0), .commit(1)])
    }

    @Test func `a partition that starts over is not paused`() {
        let open = Mutex<[Reply<CommandOutcome>]>([])
        var limits = ConsumerLimits()
        limits.perPartition = 2
        let consumer = consumer(FakeHistory { _, reply in open.withLock { $0.append(reply) } }, limits)
        consumer.receive([command(at: 7), command(at: 8), command(at: 0)])
        #expect(control.requests == [.commit(7), .pause, .forgetOffsets, .resume, .commit(0)])
    }
}

/// Records the requests.
private final class RecordingControl: PartitionControl {
    enum Request: Equatable, Sendable {
        case pause, resume, forgetOffsets
        case commit(Int64)
    }

    private let all = Mutex<[Request]>([])
    private let watcher = Mutex<@Sendable () -> Void>({})

    var requests: [Request] { all.withLock { $0 } }

    /// Calls `watcher` while a request is made.
    func watch(_ watcher: @escaping @Sendable () -> Void) { self.watcher.withLock { $0 = watcher } }

    private func note(_ request: Request) {
        all.withLock { $0.append(request) }
        let watcher = watcher.withLock { $0 }
        watcher()
    }

    func pause(_: some Sequence<KafkaPartition>) { note(.pause) }
    func resume(_: some Sequence<KafkaPartition>) { note(.resume) }
    func commit(_ offsets: [KafkaPartition: Int64]) { for offset in offsets.values { note(.commit(offset)) } }
    func forgetOffsets(of _: some Sequence<KafkaPartition>) { note(.forgetOffsets) }
    func endOffset(of _: KafkaPartition) -> Int64? { nil }
    func close() {}
}
