internal import CSagamoreRdKafka

/// Collects what became of the records of one transaction.
///
/// Unchecked: the one thread that owns the producer uses it, which is also the one on which librdkafka reports.
final class TransactionalDeliveries: ClientCallbacks, @unchecked Sendable {
    private(set) var failures: [KafkaTransactionalProducer.Failure] = []
    private(set) var fatal: KafkaError?

    override func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
        let native = message.pointee.err
        guard native != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let record = UInt64(UInt(bitPattern: message.pointee._private))
        failures.append(.init(record: record, error: KafkaError(native)))
    }

    override func failed(_ error: KafkaError) {
        super.failed(error)
        if error.isFatal { fatal = error }
    }

    func reset() { failures.removeAll(keepingCapacity: true) }
}
