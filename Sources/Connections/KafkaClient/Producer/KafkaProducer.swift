internal import CSagamoreRdKafka
internal import SagamoreThreads

/// An idempotent producer: records arrive once and in order per partition, acknowledged by all in-sync replicas.
/// It may be used from any thread; its own thread reports the outcome of each record.
public final class KafkaProducer: Sendable {
    /// Where a record was written.
    public struct Delivery: Sendable, Hashable {
        /// The partition.
        public let partition: KafkaPartition
        /// The offset in the partition.
        public let offset: Int64
    }

    /// Called once for every accepted record, on the producer's thread or on one that flushes. It must not block.
    public typealias Completion = @Sendable (Result<Delivery, KafkaError>) -> Void

    private let client: ClientHandle
    private let hasEnded = Monitor(false)
    private let poll: ProducerPoll

    /// Creates a producer.
    ///
    /// - Parameters:
    ///   - deliveryTimeout: the time limit of a record's delivery.
    ///   - bufferedKilobytes: the size of the client's queue; ``produce`` blocks while it is full.
    /// - Throws: ``KafkaError`` when a property is unknown or invalid, or when no thread can be started. An unreachable
    ///   broker is not an error here.
    public init(
        _ configuration: KafkaConfiguration,
        deliveryTimeout: Duration = .seconds(60),
        bufferedKilobytes: Int = 64 * 1024
    ) throws(KafkaError) {
        let client = try ClientHandle(
            RD_KAFKA_PRODUCER,
            configuration,
            defaults: [
                "message.timeout.ms": String(deliveryTimeout.milliseconds),
                "topic.metadata.propagation.max.ms": "5000",
                "queue.buffering.max.kbytes": String(bufferedKilobytes),
                "linger.ms": "2",
                "partitioner": "murmur2_random",
            ],
            fixed: ["enable.idempotence": "true", "acks": "all"],
            callbacks: ClientCallbacks(log: configuration.log, onDelivery: ProducerDelivery.report)
        )
        self.client = client
        let poll = ProducerPoll(client)
        self.poll = poll
        let hasEnded = hasEnded
        do throws(ThreadError) {
            _ = try SystemThread("kafka-producer") {
                poll.run()
                hasEnded.change { $0 = true }
            }
        } catch {
            throw KafkaError(error)
        }
    }

    /// Enqueues a record. Blocks while the queue is full.
    ///
    /// - Parameters:
    ///   - partition: nil lets the key decide (the same hash as Apache Kafka's own clients).
    ///   - timestamp: milliseconds since 1970; nil is now.
    /// - Throws: ``KafkaError`` when the record is not accepted; `completion` is not called then.
    public func produce(
        topic: String,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        partition: Int32? = nil,
        timestamp: Int64? = nil,
        completion: @escaping Completion = { _ in }
    ) throws(KafkaError) {
        guard !poll.isClosing else { throw KafkaError(RD_KAFKA_RESP_ERR__DESTROY, "the producer is closed") }
        let record = OutgoingRecord(
            topic: topic,
            key: key,
            value: value,
            headers: headers,
            partition: partition,
            timestamp: timestamp
        )
        let waiting = Unmanaged.passRetained(ProducerDelivery(completion))
        if let error = record.enqueue(on: client.pointer, flags: RD_KAFKA_MSG_F_BLOCK, opaque: waiting.toOpaque()) {
            waiting.release()
            throw error
        }
    }

    /// Waits until every accepted record has been delivered or has failed.
    /// - Throws: ``KafkaError`` (a timeout) when some are still in flight.
    public func flush(timeout: Duration) throws(KafkaError) {
        let native = rd_kafka_flush(client.pointer, timeout.milliseconds)
        guard native == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(native) }
    }

    /// Flushes for at most `timeout`, fails the remaining records, and ends the producer's thread. May be repeated.
    public func close(timeout: Duration = .seconds(5)) {
        guard poll.beginClosing() else { return }
        if rd_kafka_flush(client.pointer, timeout.milliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR {
            _ = rd_kafka_purge(client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            _ = rd_kafka_flush(client.pointer, 1000)
        }
        poll.end()
        _ = hasEnded.wait(atMost: .seconds(2), for: { $0 ? true : nil })
    }

    deinit { close() }
}

/// The loop of the producer's thread, which polls for delivery reports.
final class ProducerPoll: Sendable {
    private enum State { case open, closing, ended }
    private let client: ClientHandle
    private let state = Locked(State.open)

    init(_ client: ClientHandle) { self.client = client }

    var isClosing: Bool { state.withLock { $0 != .open } }

    /// True for the first caller.
    func beginClosing() -> Bool {
        state.withLock { state in
            guard state == .open else { return false }
            state = .closing
            return true
        }
    }

    func end() { state.withLock { $0 = .ended } }

    func run() {
        while state.withLock({ $0 != .ended }) { rd_kafka_poll(client.pointer, 50) }
    }
}

/// A record's completion while librdkafka has the record.
private final class ProducerDelivery: Sendable {
    private let completion: KafkaProducer.Completion

    init(_ completion: @escaping KafkaProducer.Completion) { self.completion = completion }

    /// Calls a record's completion.
    @Sendable static func report(_ message: UnsafePointer<rd_kafka_message_t>) {
        guard let opaque = message.pointee._private else { return }
        let completion = Unmanaged<ProducerDelivery>.fromOpaque(opaque).takeRetainedValue().completion
        let native = message.pointee.err
        guard native == RD_KAFKA_RESP_ERR_NO_ERROR, let handle = message.pointee.rkt else {
            return completion(.failure(KafkaError(native)))
        }
        let topic = rd_kafka_topic_name(handle).map { String(cString: $0) } ?? ""
        let partition = KafkaPartition(topic: topic, partition: message.pointee.partition)
        completion(.success(.init(partition: partition, offset: message.pointee.offset)))
    }
}
