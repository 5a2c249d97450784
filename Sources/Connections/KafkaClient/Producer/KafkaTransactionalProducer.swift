internal import CSagamoreRdKafka

/// A producer whose records and consumer-group offsets become visible together or not at all.
///
/// Its calls block; make them all on the thread that creates it. The order is ``initTransactions(timeout:)`` once, and
/// for each transaction ``begin()``, ``produce(topic:key:value:headers:partition:timestamp:record:)``,
/// ``sendOffsets(group:_:timeout:)``, ``commit(timeout:)``. On an error check in this order: *fatal* (make a new
/// producer), *requiresAbort* (call ``abort(timeout:)`` and begin again), *retriable* (repeat the same call). A call
/// that may not follow the outcome of the last one is refused with `_STATE` and not passed on to librdkafka.
///
/// A new producer may replace this one at any time: its ``initTransactions(timeout:)`` ends the transaction, and the
/// offsets read afterwards say whether it was committed.
public final class KafkaTransactionalProducer {
    /// A record that was not delivered.
    public struct Failure: Sendable, Hashable {
        /// The caller's number of the record.
        public let record: UInt64
        /// The cause. ``KafkaError/isRecordRefused``: this record, or another one of its batch, is never accepted.
        /// ``KafkaError/isPurged``: it was discarded with its transaction, and nothing is wrong with it.
        public let error: KafkaError

        package init(record: UInt64, error: KafkaError) {
            self.record = record
            self.error = error
        }
    }

    /// An offset to commit with the transaction.
    public struct Offset: Sendable, Hashable {
        /// The partition.
        public var partition: KafkaPartition
        /// The next offset to read.
        public var offset: Int64
        /// Text that the broker stores with it, at most 4,096 bytes by default.
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
    private var lifecycle = TransactionLifecycle()

    /// Creates a producer. Nothing is sent before ``initTransactions(timeout:)``.
    ///
    /// - Parameters:
    ///   - transactionalID: the last producer to initialize it fences all others.
    ///   - transactionTimeout: the broker aborts transactions that stay open for longer.
    /// - Throws: ``KafkaError`` when a property is unknown or invalid.
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
                // How long a missing topic delays the transaction.
                "topic.metadata.propagation.max.ms": "5000",
                // The commit flushes regardless; until then records gather in batches.
                "linger.ms": "5",
                // The broker completes a transaction some milliseconds after it has answered the commit. Requests of
                // the next one fail until then and are retried after this time.
                "retry.backoff.ms": "3",
                // After three failed queries for a group's coordinator, librdkafka waits without a limit for any
                // connection to change its state. Closing an idle one is such a change.
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

    /// The fatal error that this producer has raised, if any. It must be replaced then.
    public var fatalError: KafkaError? { deliveries.fatal ?? KafkaError(fatalOf: client.pointer) }

    /// Records of the current (or last) transaction that were not delivered, in the order of their reports.
    public var failures: [Failure] { deliveries.failures }

    /// Fences every other producer with this transactional id and waits until its transaction has ended.
    /// - Throws: ``KafkaError``. After a retriable one repeat the call.
    public func initTransactions(timeout: Duration) throws(KafkaError) {
        try call(.initTransactions) {
            KafkaError(consuming: rd_kafka_init_transactions(client.pointer, timeout.milliseconds))
        }
    }

    /// Begins a transaction and clears ``failures``.
    public func begin() throws(KafkaError) {
        try call(.begin) {
            deliveries.reset()
            return KafkaError(consuming: rd_kafka_begin_transaction(client.pointer))
        }
    }

    /// Adds a record to the transaction. Waits while librdkafka's queue is full.
    ///
    /// - Parameters:
    ///   - partition: nil lets the key decide (the same hash as Apache Kafka's own clients).
    ///   - timestamp: milliseconds since 1970; nil is now.
    ///   - record: the caller's number of the record, for ``failures``.
    /// - Throws: ``KafkaError`` when the record is not accepted. The transaction goes on without it unless the error
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
        try call(.produce) {
            while let error = outgoing.enqueue(on: client.pointer, flags: 0, opaque: opaque) {
                // A full queue drains: each record arrives or times out.
                guard error.isQueueFull else { return error }
                rd_kafka_poll(client.pointer, 100)
            }
            rd_kafka_poll(client.pointer, 0)
            return nil
        }
    }

    /// Waits until every record has been delivered or has failed. Called before and after a record, it isolates the
    /// record in a batch of its own; a refused batch names all its records.
    /// - Throws: ``KafkaError`` (a timeout) when some are still in flight.
    public func flush(timeout: Duration) throws(KafkaError) {
        try call(.flush) {
            let native = rd_kafka_flush(client.pointer, timeout.milliseconds)
            return native == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(native)
        }
    }

    /// Adds offsets of a consumer group to the transaction. The group needs no members.
    ///
    /// It takes least time before the transaction's first record: the group is then registered with the transaction in
    /// one request. While the group's coordinator cannot be found, librdkafka (at least 2.0.2 to 2.14) may wait past
    /// `timeout`.
    /// - Throws: ``KafkaError``. One without an answer of the broker, such as a timeout, is fatal: the call cannot be
    ///   resumed, and its request may still arrive.
    public func sendOffsets(
        group: String,
        _ offsets: [Offset],
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let metadata = rd_kafka_consumer_group_metadata_new(group)
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        try call(.sendOffsets) {
            PartitionList.lend(offsets.map { ($0.partition, $0.offset) }) { list in
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
        }
    }

    /// Sends the queued records and makes the whole transaction visible.
    /// - Throws: ``KafkaError``. After a retriable one the outcome is unknown: repeat the call, or make a new producer.
    public func commit(timeout: Duration) throws(KafkaError) {
        try call(.commit) {
            KafkaError(consuming: rd_kafka_commit_transaction(client.pointer, timeout.milliseconds))
        }
    }

    /// Discards the transaction: queued records are not sent, and `read_committed` consumers never see those sent.
    ///
    /// After a record was refused the next transaction may fail once as well, with ``KafkaError/requiresAbort``,
    /// because the numbering of records restarts. Its records are not to blame: abort it and begin again.
    /// - Throws: ``KafkaError``. After a retriable one repeat the call, or make a new producer.
    public func abort(timeout: Duration) throws(KafkaError) {
        try call(.abort) {
            KafkaError(consuming: rd_kafka_abort_transaction(client.pointer, timeout.milliseconds))
        }
    }

    private func call(_ call: TransactionLifecycle.Call, _ body: () -> KafkaError?) throws(KafkaError) {
        guard lifecycle.allows(call) else {
            if lifecycle.state == .over, let cause = fatalError { throw cause }
            throw KafkaError(
                code: KafkaError.Code(RD_KAFKA_RESP_ERR__STATE),
                message: "\(call) is not allowed while the producer is \(lifecycle.state)",
                isFatal: lifecycle.state == .over
            )
        }
        let error = body()
        lifecycle.ended(call, TransactionLifecycle.Outcome(error))
        if let error { throw complete(error) }
    }

    /// Marks an error fatal when the producer must be replaced. librdkafka's fatal errors are reported by their cause,
    /// so that fencing is recognized.
    private func complete(_ error: KafkaError) -> KafkaError {
        guard lifecycle.state == .over, !error.isFenced else { return error }
        if let cause = KafkaError(fatalOf: client.pointer) { return cause }
        return KafkaError(code: error.code, message: error.message, isFatal: true)
    }
}
