package import SagamoreKafkaClient

/// What the command consumer requests of its Kafka consumer. Only `close` blocks or calls back, so the others may be
/// called under a lock.
package protocol PartitionControl: Sendable {
    /// Pauses partitions.
    func pause(_ partitions: some Sequence<KafkaPartition>)
    /// Resumes partitions.
    func resume(_ partitions: some Sequence<KafkaPartition>)
    /// Commits the next offset to read of each partition. Lower offsets than before are ignored.
    func commit(_ offsets: [KafkaPartition: Int64])
    /// Accepts lower offsets of these partitions from now on.
    func forgetOffsets(of partitions: some Sequence<KafkaPartition>)
    /// The offset after the newest record, as far as it is known; nil when it is not.
    func endOffset(of partition: KafkaPartition) -> Int64?
    /// Leaves the group.
    func close()
}

extension KafkaConsumer: PartitionControl {}
