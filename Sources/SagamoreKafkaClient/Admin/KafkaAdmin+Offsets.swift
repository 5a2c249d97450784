internal import CSagamoreRdKafka

extension KafkaAdmin {
    /// What a consumer group has committed for a partition.
    public struct CommittedOffset: Sendable, Hashable {
        /// The next offset to read.
        public let offset: Int64
        /// The words that were committed with it; empty when there were none.
        public let metadata: String
    }

    /// Reads a group's offset; nil when it has none. Waits while a transaction that would change it is being ended, so
    /// that what it returns is final: after ``KafkaTransactionalProducer/initTransactions(timeout:)`` of the only
    /// writer nothing can change it any more.
    /// - Throws: ``KafkaError`` when no broker answers, or the transaction does not end in time.
    public func committedOffset(
        group: String, _ partition: KafkaPartition, timeout: Duration = .seconds(30)
    ) throws(KafkaError) -> CommittedOffset? {
        let deadline = ContinuousClock.now + timeout
        while true {
            do {
                return try readOffset(group, partition, deadline - .now)
            } catch {
                guard error.isRetriable, deadline - .now > .milliseconds(100) else { throw error }
                _ = Latch().wait(.milliseconds(100))
            }
        }
    }

    private func readOffset(
        _ group: String, _ partition: KafkaPartition, _ timeout: Duration
    ) throws(KafkaError) -> CommittedOffset? {
        var request = PartitionList.lend(CollectionOfOne(partition)) {
            rd_kafka_ListConsumerGroupOffsets_new(group, $0)
        }
        defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
        return try client.ask(
            RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
            timeout: timeout,
            options: { rd_kafka_error_destroy(rd_kafka_AdminOptions_set_require_stable_offsets($0, 1)) },
            send: { rd_kafka_ListConsumerGroupOffsets(client.pointer, &request, 1, $0, $1) },
            read: { answer throws(KafkaError) in
                var count = 0
                let groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
                    rd_kafka_event_ListConsumerGroupOffsets_result(answer), &count)
                guard count == 1, let group = groups?.pointee else {
                    throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, "an answer about no group")
                }
                if let error = rd_kafka_group_result_error(group) {
                    throw KafkaError(
                        rd_kafka_error_code(error), rd_kafka_error_string(error).map { String(cString: $0) })
                }
                let entries = PartitionList.entries(
                    UnsafeMutablePointer(mutating: rd_kafka_group_result_partitions(group)))
                guard let entry = entries.first(where: { KafkaPartition($0) == partition }) else { return nil }
                guard entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(entry.err) }
                guard entry.offset >= 0 else { return nil }
                return CommittedOffset(offset: entry.offset, metadata: PartitionList.metadata(of: entry) ?? "")
            })
    }
}
