internal import CSagamoreRdKafka
internal import SagamoreThreads

extension KafkaAdmin {
    /// What a consumer group has committed for a partition.
    public struct CommittedOffset: Sendable, Hashable {
        /// The next offset to read.
        public let offset: Int64
        /// The words that were committed with it; empty when there were none.
        public let metadata: String
    }

    /// Reads a group's offset; nil when it has none. See ``committedOffsets(group:_:timeout:)``.
    public func committedOffset(
        group: String,
        _ partition: KafkaPartition,
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) -> CommittedOffset? {
        try committedOffsets(group: group, [partition], timeout: timeout)[partition]
    }

    /// Reads a group's offsets; partitions for which it has none are left out. Waits while a transaction that would
    /// change them is being ended, so that what it returns is final: after
    /// ``KafkaTransactionalProducer/initTransactions(timeout:)`` of the only writer nothing changes them any more.
    /// - Throws: ``KafkaError`` when no broker answers, or the transaction does not end in time.
    public func committedOffsets(
        group: String,
        _ partitions: [KafkaPartition],
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) -> [KafkaPartition: CommittedOffset] {
        // A consumer of the group that never joins it. librdkafka has a request for this in its admin interface too,
        // but in 2.0.2 that one touches freed memory when its time is over before the group's coordinator is found.
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
