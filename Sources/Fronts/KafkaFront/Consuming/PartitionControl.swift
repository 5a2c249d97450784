internal import SagamoreKafkaClient

/// What the reading of commands asks of its consumer. Nothing but `close` waits or calls back: the rest may be asked
/// under a lock.
protocol PartitionControl: Sendable {
    /// Stops what arrives from these partitions.
    func pause(_ partitions: some Sequence<KafkaPartition>)
    /// Lets records of these partitions arrive again.
    func resume(_ partitions: some Sequence<KafkaPartition>)
    /// Notes the next offset to read of each partition; lower ones than before are ignored.
    func commit(_ offsets: [KafkaPartition: Int64])
    /// Lower offsets than before are taken of these partitions from now on.
    func forgetOffsets(of partitions: some Sequence<KafkaPartition>)
    /// Leaves the group.
    func close()
}

extension KafkaConsumer: PartitionControl {}
