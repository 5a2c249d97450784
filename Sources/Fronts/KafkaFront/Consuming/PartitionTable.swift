internal import SagamoreKafkaClient

/// The assigned partitions.
struct PartitionTable: Sendable {
    private var byName: [KafkaPartition: CommandPartition] = [:]
    /// All partitions, by topic and number.
    private(set) var inOrder: [CommandPartition] = []

    subscript(name: KafkaPartition) -> CommandPartition? { byName[name] }

    /// Adds a partition, in place of an earlier one of its name.
    mutating func insert(_ partition: CommandPartition) {
        byName[partition.partition] = partition
        sort()
    }

    mutating func remove(_ name: KafkaPartition) -> CommandPartition? {
        defer { sort() }
        return byName.removeValue(forKey: name)
    }

    private mutating func sort() { inOrder = byName.values.sorted { $0.partition < $1.partition } }
}
