internal import SagamoreKafkaClient

/// The assigned partitions.
struct PartitionTable: Sendable {
    private var byName: [KafkaPartition: CommandPartition] = [:]
    /// All partitions, by topic and number.
    private(set) var inOrder: [CommandPartition] = []

    subscript(name: KafkaPartition) -> CommandPartition? { byName[name] }

    /// Adds a partition, in place of an earlier one of its name.
    mutating func insert(_ partition: CommandPartition) {
        let place = place(of: partition.partition)
        if byName.updateValue(partition, forKey: partition.partition) == nil {
            inOrder.insert(partition, at: place)
        } else {
            inOrder[place] = partition
        }
    }

    mutating func remove(_ name: KafkaPartition) -> CommandPartition? {
        guard let removed = byName.removeValue(forKey: name) else { return nil }
        inOrder.remove(at: place(of: name))
        return removed
    }

    /// The index of the first partition that is not below `name`.
    private func place(of name: KafkaPartition) -> Int {
        var (low, high) = (0, inOrder.count)
        while low < high {
            let middle = (low + high) / 2
            if inOrder[middle].partition < name { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
