import SagamoreKafkaClient
import SagamoreKafkaFront
import Synchronization

/// A member of a consumer group that commits what it reads.
final class ScriptedMember: Sendable {
    private struct State {
        var assigned: [String] = []
        var values: [String] = []
        var isLost = false
        var consumer: (any PartitionControl)?
    }

    private let state = Mutex(State())
    private let suffix: String

    init(_ suffix: String) { self.suffix = suffix }

    func open(_ cluster: any ScriptedCluster, group: String, topics: [String]) throws(KafkaError) {
        let consumer = try cluster.clients.consumer(
            cluster.configuration,
            group: group,
            topics: topics,
            handlers: KafkaConsumer.Handlers(
                records: { [weak self] in self?.received($0) },
                assigned: { [weak self] partitions in
                    guard let self else { return }
                    state.withLock { $0.assigned = partitions.map(self.name).sorted() }
                },
                revoked: { [weak self] _, isLost in
                    self?.state.withLock {
                        $0.assigned = []
                        $0.isLost = $0.isLost || isLost
                    }
                }
            )
        )
        state.withLock { $0.consumer = consumer }
    }

    private func name(_ partition: KafkaPartition) -> String {
        "\(partition.topic.dropLast(suffix.count))[\(partition.partition)]"
    }

    private func received(_ records: [KafkaRecord]) {
        let consumer = state.withLock { state in
            state.values += records.map { String(decoding: $0.value ?? [], as: UTF8.self) }
            return state.consumer
        }
        for record in records {
            consumer?.commit([KafkaPartition(topic: record.topic, partition: record.partition): record.offset + 1])
        }
    }

    /// The partitions that it has, by name.
    var assigned: [String] { state.withLock { $0.assigned } }
    /// What it has read, in order.
    var values: [String] { state.withLock { $0.values } }
    /// Whether it has lost partitions.
    var isLost: Bool { state.withLock { $0.isLost } }

    /// Leaves the group.
    func close() { state.withLock { $0.consumer }?.close() }
}
