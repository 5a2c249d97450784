internal import SagamoreKafkaClient

/// How far each partition of a topic was read: a partition that is given up and comes back goes on there.
struct ReadPositions {
    private var offsets: [KafkaPartition: Int64] = [:]

    /// The next offset to read; nil while nothing is known of the partition.
    func next(of partition: KafkaPartition) -> Int64? { offsets[partition] }

    /// A record was read.
    mutating func passed(_ record: KafkaRecord) {
        offsets[KafkaPartition(topic: record.topic, partition: record.partition)] = record.offset + 1
    }

    /// All before this offset was read, or was there before the reading began.
    mutating func reached(_ offset: Int64, of partition: KafkaPartition) {
        offsets[partition] = offset
    }
}
