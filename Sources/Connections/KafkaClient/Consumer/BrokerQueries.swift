internal import CSagamoreRdKafka
internal import SagamoreThreads

/// Queries that wait for the broker, on a thread of their own: the consumer's thread never stops polling. The answers
/// go into the consumer's mailbox.
final class BrokerQueries: Sendable {
    enum Query: Sendable {
        /// The committed offsets of the group.
        case storedOffsets([KafkaPartition])
        /// The first offset of a partition.
        case firstOffset(KafkaPartition)
    }

    enum Answer: Sendable {
        /// Partitions without an offset are left out.
        case storedOffsets([KafkaPartition], Result<[KafkaPartition: Int64], KafkaError>)
        case firstOffset(KafkaPartition, Result<Int64, KafkaError>)
    }

    private static let limit = Duration.seconds(1)

    private let inbox: ConsumerInbox
    private let waiting = Locked<[Query]>([])
    private let bell = Doorbell()
    private let thread = Locked<SystemThread?>(nil)

    init(_ inbox: ConsumerInbox) {
        self.inbox = inbox
    }

    /// Queues a query. The caller waits for its answer before it sends another one of the kind.
    func send(_ query: Query) {
        waiting.withLock { $0.append(query) }
        bell.ring()
        thread.withLock { thread in
            if thread == nil { thread = SystemThread.required("kafka-queries") { [self] in run() } }
        }
    }

    /// Ends the thread, after the query that it waits for.
    func stop() {
        bell.stop()
        thread.withLock { $0 }?.join()
    }

    private func run() {
        while !bell.isStopped {
            let queries = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for query in queries where !bell.isStopped {
                inbox.mailbox.answer(answer(query))
                inbox.wake()
            }
            bell.wait(.seconds(3_600))
        }
    }

    private func answer(_ query: Query) -> Answer {
        switch query {
        case .storedOffsets(let partitions): .storedOffsets(partitions, Self.storedOffsets(of: partitions, inbox))
        case .firstOffset(let partition): .firstOffset(partition, firstOffset(of: partition))
        }
    }

    /// What the broker holds for the group; blocks.
    static func storedOffsets(
        of partitions: [KafkaPartition],
        _ inbox: ConsumerInbox
    ) -> Result<[KafkaPartition: Int64], KafkaError> {
        PartitionList.lend(partitions) { list in
            let native = rd_kafka_committed(inbox.client.pointer, list, limit.milliseconds)
            guard native == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaError(native)) }
            var offsets: [KafkaPartition: Int64] = [:]
            for entry in PartitionList.entries(list) {
                guard entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaError(entry.err)) }
                if entry.offset >= 0 { offsets[KafkaPartition(entry)] = entry.offset }
            }
            return .success(offsets)
        }
    }

    private func firstOffset(of partition: KafkaPartition) -> Result<Int64, KafkaError> {
        var (first, end): (Int64, Int64) = (0, 0)
        let native = rd_kafka_query_watermark_offsets(
            inbox.client.pointer,
            partition.topic,
            partition.partition,
            &first,
            &end,
            Self.limit.milliseconds
        )
        return native == RD_KAFKA_RESP_ERR_NO_ERROR ? .success(first) : .failure(KafkaError(native))
    }
}
