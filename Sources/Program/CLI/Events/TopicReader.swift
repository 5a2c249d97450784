internal import Dispatch
internal import SagamoreKafkaClient
internal import SagamoreThreads

/// Reads a topic from its beginning or from its end, as a consumer in its own group that commits nothing. Partitions
/// that a rebalance revokes and reassigns continue where they were.
///
/// Records of one partition arrive in order. `next` must be called from one thread.
final class TopicReader: Sendable {
    enum Start: String, Sendable {
        case beginning, end
    }

    /// The output of the reader.
    enum Item: Sendable {
        case record(KafkaRecord)
        /// All existing records have been read. Reported once.
        case caughtUp
        /// A temporary problem that librdkafka retries, such as an unreachable broker, in one line.
        case trouble(String)
        /// A permanent failure.
        case failed(String)
    }

    private struct State {
        var items: [Item] = []
        var taken = 0
        var assigned: Set<KafkaPartition> = []
        var positions = ReadPositions()
        var behind: Set<Int32>
        var isPaused = false
        var lastTrouble = ""
    }

    /// The maximum number of buffered records. Above it, the partitions are paused.
    private static let bufferLimit = 20_000

    private let state: Locked<State>
    private let filled = DispatchSemaphore(value: 0)
    private let consumer = Locked<KafkaConsumer?>(nil)

    /// - Throws: `CommandFailure` when no broker answers, or the topic does not exist.
    init(_ topic: String, from start: Start, kafka: String) throws(CommandFailure) {
        let configuration = KafkaConfiguration(bootstrap: kafka, clientID: "sagamore-cli")
        let count = try Self.partitions(of: topic, configuration)
        state = Locked(State(behind: Set(0..<Int32(count))))
        let group = "sagamore-cli-" + String(UInt64.random(in: .min ... .max), radix: 36)
        do throws(KafkaError) {
            let made = try KafkaConsumer(
                configuration,
                group: group,
                topics: [topic],
                handlers: KafkaConsumer.Handlers(
                    records: { [weak self] records in self?.add(records) },
                    assigned: { [weak self] partitions in self?.assigned(partitions) },
                    revoked: { [weak self] partitions, _ in self?.revoked(partitions) },
                    error: { [weak self] error in self?.note(error) },
                    caughtUp: { [weak self] partition, offset in self?.caughtUp(partition, offset) },
                    start: { [weak self] partition in self?.position(of: partition) }
                ),
                offsetReset: start == .beginning ? .earliest : .latest
            )
            consumer.withLock { $0 = made }
        } catch {
            throw CommandFailure("cannot use Kafka: \(error.message)")
        }
    }

    private static func partitions(
        of topic: String,
        _ configuration: KafkaConfiguration
    ) throws(CommandFailure) -> Int {
        do throws(KafkaError) {
            let admin = try KafkaAdmin(configuration)
            guard let answer = try admin.partitionCounts([topic])[topic] else { return 0 }
            return try answer.get()
        } catch {
            if error.isUnknownTopic {
                throw CommandFailure("topic '\(topic)' does not exist on \(configuration.bootstrap)")
            }
            if error.isTopicAuthorization {
                throw CommandFailure("not authorized to read topic '\(topic)' on \(configuration.bootstrap)")
            }
            throw CommandFailure(
                "no Kafka broker answers at \(configuration.bootstrap): is it running, and is the address right?"
            )
        }
    }

    /// Waits for the next item, without a limit.
    func next() -> Item {
        while true {
            if let item = next(within: .seconds(3600)) { return item }
        }
    }

    /// Waits for the next item; nil on timeout.
    func next(within time: Duration) -> Item? {
        let parts = time.components
        let nanoseconds = Int(parts.seconds) * 1_000_000_000 + Int(parts.attoseconds / 1_000_000_000)
        guard filled.wait(timeout: .now() + .nanoseconds(max(nanoseconds, 0))) == .success else { return nil }
        let (item, resumed) = state.withLock { state -> (Item?, Set<KafkaPartition>) in
            guard state.taken < state.items.count else { return (nil, []) }
            let item = state.items[state.taken]
            state.taken += 1
            guard state.taken == state.items.count else { return (item, []) }
            state.items.removeAll(keepingCapacity: true)
            state.taken = 0
            defer { state.isPaused = false }
            return (item, state.isPaused ? state.assigned : [])
        }
        if !resumed.isEmpty { consumer.withLock { $0 }?.resume(resumed) }
        return item
    }

    func close() {
        consumer.withLock { $0 }?.close()
    }

    // MARK: On the consumer's thread

    private func add(_ records: [KafkaRecord]) {
        let paused = state.withLock { state -> Set<KafkaPartition> in
            state.items += records.map { .record($0) }
            for record in records { state.positions.passed(record) }
            state.lastTrouble = ""
            guard state.items.count - state.taken > Self.bufferLimit, !state.isPaused else { return [] }
            state.isPaused = true
            return state.assigned
        }
        for _ in records { filled.signal() }
        if !paused.isEmpty { consumer.withLock { $0 }?.pause(paused) }
    }

    private func add(_ item: Item) {
        state.withLock { $0.items.append(item) }
        filled.signal()
    }

    private func assigned(_ partitions: [KafkaPartition]) {
        state.withLock { state in
            state.assigned.formUnion(partitions)
            state.isPaused = false
        }
    }

    private func revoked(_ partitions: [KafkaPartition]) {
        state.withLock { $0.assigned.subtract(partitions) }
    }

    private func position(of partition: KafkaPartition) -> Int64? {
        state.withLock { $0.positions.next(of: partition) }
    }

    private func caughtUp(_ partition: KafkaPartition, _ offset: Int64) {
        let isDone = state.withLock { state in
            state.positions.reached(offset, of: partition)
            guard !state.behind.isEmpty else { return false }
            state.behind.remove(partition.partition)
            return state.behind.isEmpty
        }
        if isDone { add(.caughtUp) }
    }

    private func note(_ error: KafkaError) {
        if error.isFatal { return add(.failed(error.message)) }
        let isNew = state.withLock { state in
            defer { state.lastTrouble = error.message }
            return state.lastTrouble != error.message
        }
        if isNew { add(.trouble(error.message)) }
    }
}

/// The position in each partition, so that a partition that is revoked and reassigned continues there.
struct ReadPositions {
    private var offsets: [KafkaPartition: Int64] = [:]

    /// The next offset to read; nil for an unknown partition.
    func next(of partition: KafkaPartition) -> Int64? { offsets[partition] }

    /// Records that a record was read.
    mutating func passed(_ record: KafkaRecord) {
        offsets[KafkaPartition(topic: record.topic, partition: record.partition)] = record.offset + 1
    }

    /// Records that everything before this offset was read, or precedes the start of reading.
    mutating func reached(_ offset: Int64, of partition: KafkaPartition) {
        offsets[partition] = offset
    }
}
