internal import CSagamoreRdKafka
internal import SagamoreThreads

extension KafkaAdmin {
    /// A consumer group's committed offset for a partition.
    public struct CommittedOffset: Sendable, Hashable {
        /// The next offset to read.
        public let offset: Int64
        /// The metadata that was committed with it; empty when there was none.
        public let metadata: String

        package init(offset: Int64, metadata: String) {
            self.offset = offset
            self.metadata = metadata
        }
    }

    /// Reads a group's offset; nil when it has none. See ``committedOffsets(group:_:timeout:)``.
    public func committedOffset(
        group: String,
        _ partition: KafkaPartition,
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) -> CommittedOffset? {
        try committedOffsets(group: group, [partition], timeout: timeout)[partition]
    }

    /// Reads a group's offsets; partitions without one are left out. Waits while a transaction that changes them is
    /// ending. After ``KafkaTransactionalProducer/initTransactions(timeout:)`` of the only writer they are final.
    /// - Throws: ``KafkaError`` when no broker answers, or the transaction does not end in time.
    public func committedOffsets(
        group: String,
        _ partitions: [KafkaPartition],
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) -> [KafkaPartition: CommittedOffset] {
        // A consumer of the group that never joins it. The request of librdkafka's admin interface accesses freed
        // memory (in 2.0.2) when it times out before the group's coordinator is found.
        let reader = try ClientHandle(
            RD_KAFKA_CONSUMER,
            configuration,
            fixed: ["group.id": group, "isolation.level": "read_committed", "enable.auto.commit": "false"],
            callbacks: ClientCallbacks(log: configuration.log)
        )
        let deadline = ContinuousClock.now + timeout
        while true {
            let left = max(deadline - .now, .milliseconds(1))
            switch PartitionList.lend(partitions, { Self.read($0, by: reader, left) }) {
            case .success(let offsets): return offsets
            case .failure(let error):
                guard error.isRetriable, deadline - .now > .milliseconds(100) else { throw error }
                SystemThread.sleep(.milliseconds(50))
            }
        }
    }

    private static func read(
        _ list: PartitionList.Native,
        by reader: ClientHandle,
        _ timeout: Duration
    ) -> Result<[KafkaPartition: CommittedOffset], KafkaError> {
        let native = rd_kafka_committed(reader.pointer, list, timeout.milliseconds)
        guard native == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaError(native)) }
        var offsets: [KafkaPartition: CommittedOffset] = [:]
        for entry in PartitionList.entries(list) {
            guard entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaError(entry.err)) }
            guard entry.offset >= 0 else { continue }
            offsets[KafkaPartition(entry)] = CommittedOffset(
                offset: entry.offset,
                metadata: PartitionList.metadata(of: entry) ?? ""
            )
        }
        return .success(offsets)
    }
}
