import SagamoreKafkaClient
import SagamoreThreads
import Synchronization

/// A consumer that keeps all it was given.
final class Reader: Sendable {
    struct Seen: Sendable {
        var records: [KafkaRecord] = []
        var batches: [Int] = []
        var assigned: Set<KafkaPartition> = []
        var assignments = 0
        var revocations: [(partitions: [KafkaPartition], lost: Bool)] = []
        var errors: [KafkaError] = []
        var caughtUp: [KafkaPartition: Int64] = [:]

        var values: [String] { records.map { $0.value.map { String(decoding: $0, as: UTF8.self) } ?? "nil" } }

        /// The next offset to read of every partition seen.
        var next: [KafkaPartition: Int64] {
            var next: [KafkaPartition: Int64] = [:]
            for record in records {
                next[KafkaPartition(topic: record.topic, partition: record.partition)] = record.offset + 1
            }
            return next
        }

        /// Where a partition that comes back goes on.
        func position(of partition: KafkaPartition) -> Int64? { next[partition] ?? caughtUp[partition] }
    }

    private let state = Locked(Seen())
    private let inner = Locked<KafkaConsumer?>(nil)

    var consumer: KafkaConsumer? { inner.withLock { $0 } }
    var seen: Seen { state.withLock { $0 } }

    init(
        _ configuration: KafkaConfiguration,
        group: String = Names.next("group"),
        topics: [String],
        isolation: KafkaConsumer.Isolation = .readCommitted,
        offsetReset: KafkaConsumer.OffsetReset = .earliest,
        commitInterval: Duration = .milliseconds(100),
        remembersPositions: Bool = false,
        onRecords: @escaping @Sendable (Reader, [KafkaRecord]) -> Void = { _, _ in },
        onRevoked: @escaping @Sendable (Reader) -> Void = { _ in }
    ) throws {
        let handlers = KafkaConsumer.Handlers(
            records: { [weak self] records in
                guard let self else { return }
                state.withLock {
                    $0.records += records
                    $0.batches.append(records.count)
                }
                onRecords(self, records)
            },
            assigned: { [weak self] partitions in
                self?.state.withLock {
                    $0.assigned.formUnion(partitions)
                    $0.assignments += 1
                }
            },
            revoked: { [weak self] partitions, lost in
                guard let self else { return }
                onRevoked(self)
                state.withLock {
                    $0.assigned.subtract(partitions)
                    $0.revocations.append((partitions, lost))
                }
            },
            error: { [weak self] error in self?.state.withLock { $0.errors.append(error) } },
            caughtUp: { [weak self] partition, offset in self?.state.withLock { $0.caughtUp[partition] = offset } },
            start: { [weak self] partition in remembersPositions ? self?.seen.position(of: partition) : nil }
        )
        let consumer = try KafkaConsumer(
            configuration,
            group: group,
            topics: topics,
            handlers: handlers,
            isolation: isolation,
            offsetReset: offsetReset,
            commitInterval: commitInterval
        )
        inner.withLock { $0 = consumer }
    }

    func close() { consumer?.close() }

    deinit { close() }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Writes records and waits until all have arrived.
func write(
    _ configuration: KafkaConfiguration,
    to topic: String,
    partition: Int32? = nil,
    _ values: [String]
) throws {
    let producer = try KafkaProducer(configuration)
    let failures = Locked<[KafkaError]>([])
    for value in values {
        try producer.produce(topic: topic, key: nil, value: bytes(value), partition: partition) { result in
            if case .failure(let error) = result { failures.withLock { $0.append(error) } }
        }
    }
    try producer.flush(timeout: .seconds(30))
    if let first = failures.withLock({ $0.first }) { throw first }
}
