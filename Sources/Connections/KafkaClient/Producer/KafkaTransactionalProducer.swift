internal import CSagamoreRdKafka

/// A producer whose records and consumer-group offsets become visible together, or not at all.
///
/// It blocks, so it belongs to one thread, which creates it and calls it. The order is ``initTransactions(timeout:)``
/// once, then again and again ``begin()``, ``produce(topic:key:value:headers:partition:timestamp:record:)``,
/// ``sendOffsets(group:_:timeout:)``, ``commit(timeout:)``. On an error look at it in this order: *fatal* (make a new
/// producer), *requiresAbort* (call ``abort(timeout:)`` and begin again), *retriable* (call the same again).
public final class KafkaTransactionalProducer {
    /// A record that did not arrive.
    public struct Failure: Sendable, Hashable {
        /// The number that the caller gave to the record.
        public let record: UInt64
        /// Why. ``KafkaError/isRecordRefused``: this record, or one of the batch that it was sent in, is never
        /// accepted. ``KafkaError/isPurged``: it went with its transaction and nothing is wrong with it.
        public let error: KafkaError
    }

    /// An offset to be committed with the transaction.
    public struct Offset: Sendable, Hashable {
        /// Where.
        public var partition: KafkaPartition
        /// The next offset to read.
        public var offset: Int64
        /// Words that the broker keeps with it, at most 4,096 bytes by default.
        public var metadata: String

        /// Creates an offset.
        public init(_ partition: KafkaPartition, _ offset: Int64, metadata: String = "") {
            self.partition = partition
            self.offset = offset
            self.metadata = metadata
        }
    }

    private let client: ClientHandle
    private let deliveries: TransactionalDeliveries

    /// Makes a producer. Nothing is sent before ``initTransactions(timeout:)``.
    ///
    /// - Parameters:
    ///   - transactionalID: who has it last fences all others.
    ///   - transactionTimeout: the broker aborts a transaction that is open for longer.
    /// - Throws: ``KafkaError`` when a property is unknown or not valid.
    public init(
        _ configuration: KafkaConfiguration,
        transactionalID: String,
        transactionTimeout: Duration = .seconds(30)
    ) throws(KafkaError) {
        let deliveries = TransactionalDeliveries()
        self.deliveries = deliveries
        client = try ClientHandle(
            RD_KAFKA_PRODUCER,
            configuration,
            defaults: [
                "transaction.timeout.ms": String(transactionTimeout.milliseconds),
                // A topic that does not exist holds up the transaction for so long.
                "topic.metadata.propagation.max.ms": "5000",
                // The commit flushes, whatever the linger; until then batches gather.
                "linger.ms": "5",
                // The broker ends a transaction some milliseconds after it has said so; until then the next one is
                // told to come again, after this time.
                "retry.backoff.ms": "3",
                // librdkafka looks three times for the coordinator of a group, then waits for any connection to change
                // its state, without a limit. The end of an idle connection is such a change.
                "connections.max.idle.ms": "10000",
                "partitioner": "murmur2_random",
            ],
            fixed: ["transactional.id": transactionalID],
            callbacks: ClientCallbacks(
                log: configuration.log,
                onDelivery: { deliveries.delivered($0) },
                onFailure: { deliveries.failed($0) }
            )
        )
    }

    /// The fatal error that this producer has met, if any: it can only be replaced.
    public var fatalError: KafkaError? { deliveries.fatal ?? KafkaError(fatalOf: client.pointer) }

    /// Records of the current (or last) transaction that did not arrive, in the order in which that became known.
    public var failures: [Failure] { deliveries.failures }

    /// Fences every other producer with this transactional id, and waits until its transaction is ended.
    /// - Throws: ``KafkaError``; when it is retriable the same call may be repeated.
    public func initTransactions(timeout: Duration) throws(KafkaError) {
        try check(rd_kafka_init_transactions(client.pointer, timeout.milliseconds))
    }

    /// Begins a transaction; ``failures`` is emptied.
    public func begin() throws(KafkaError) {
        deliveries.reset()
        try check(rd_kafka_begin_transaction(client.pointer))
    }

    /// Puts a record into the transaction. Waits while librdkafka's queue is full.
    ///
    /// - Parameters:
    ///   - partition: nil lets the key decide (the same hash as Apache Kafka's own clients).
    ///   - timestamp: milliseconds since 1970; nil is now.
    ///   - record: comes back in ``failures``.
    /// - Throws: ``KafkaError`` when this record can't be taken; the transaction goes on without it unless the error
    ///   says otherwise.
    public func produce(
        topic: String,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        partition: Int32? = nil,
        timestamp: Int64? = nil,
        record: UInt64 = 0
    ) throws(KafkaError) {
        let outgoing = OutgoingRecord(
            topic: topic,
            key: key,
            value: value,
            headers: headers,
            partition: partition,
            timestamp: timestamp
        )
        let opaque = UnsafeMutableRawPointer(bitPattern: UInt(record))
        while let error = outgoing.enqueue(on: client.pointer, flags: 0, opaque: opaque) {
            // A full queue empties with time: records arrive or their time ends.
            guard error.isQueueFull else { throw error }
            rd_kafka_poll(client.pointer, 100)
        }
        rd_kafka_poll(client.pointer, 0)
    }

    /// Waits until every record has arrived or failed. After each record it makes sure that it is sent in a batch of
    /// its own, so that a refusal means this record: a refused batch names all of its records.
    /// - Throws: ``KafkaError`` (a timeout) when some are still under way.
    public func flush(timeout: Duration) throws(KafkaError) {
        let native = rd_kafka_flush(client.pointer, timeout.milliseconds)
        guard native == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(native) }
    }

    /// Adds offsets of a consumer group to the transaction. The group needs no members.
    ///
    /// It takes least time before the transaction's first record: the broker is asked for leave only once then. While
    /// the group's coordinator can't be found, librdkafka (2.0.2 to 2.14 at least) may wait past `timeout`.
    public func sendOffsets(
        group: String,
        _ offsets: [Offset],
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let metadata = rd_kafka_consumer_group_metadata_new(group)
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        let error = PartitionList.lend(offsets.map { ($0.partition, $0.offset) }) { list in
            for (index, offset) in offsets.enumerated() where !offset.metadata.isEmpty {
                PartitionList.setMetadata(offset.metadata, of: &list.pointee.elems[index])
            }
            return KafkaError(
                consuming: rd_kafka_send_offsets_to_transaction(
                    client.pointer,
                    list,
                    metadata,
                    timeout.milliseconds
                )
            )
        }
        if let error { throw complete(error) }
    }

    /// Sends what waits and makes all of the transaction visible.
    /// - Throws: ``KafkaError``. After a retriable one it is not known whether the transaction is committed: the same
    ///   call, repeated, finds out.
    public func commit(timeout: Duration) throws(KafkaError) {
        try check(rd_kafka_commit_transaction(client.pointer, timeout.milliseconds))
    }

    /// Throws away the transaction: what waits is not sent, what was sent is never read by a `read_committed` reader.
    ///
    /// After a record was refused the next transaction may fail once more, with ``KafkaError/requiresAbort`` and for no
    /// fault of its records, because their numbering begins anew: abort it and begin again.
    public func abort(timeout: Duration) throws(KafkaError) {
        try check(rd_kafka_abort_transaction(client.pointer, timeout.milliseconds))
    }

    private func check(_ error: OpaquePointer?) throws(KafkaError) {
        if let error = KafkaError(consuming: error) { throw complete(error) }
    }

    /// A fatal error is reported by its cause, so that fencing is recognised.
    private func complete(_ error: KafkaError) -> KafkaError {
        error.isFatal && !error.isFenced ? (KafkaError(fatalOf: client.pointer) ?? error) : error
    }
}
