internal import CSagamoreRdKafka
internal import SagamoreThreads

/// Collects the failures of one transaction's records.
final class TransactionalDeliveries: Sendable {
    private struct State {
        var failures: [KafkaTransactionalProducer.Failure] = []
        var fatal: KafkaError?
    }

    private let state = Locked(State())

    var failures: [KafkaTransactionalProducer.Failure] { state.withLock { $0.failures } }
    var fatal: KafkaError? { state.withLock { $0.fatal } }

    func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
        let native = message.pointee.err
        guard native != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let record = UInt64(UInt(bitPattern: message.pointee._private))
        state.withLock { $0.failures.append(.init(record: record, error: KafkaError(native))) }
    }

    func failed(_ error: KafkaError) {
        if error.isFatal { state.withLock { $0.fatal = error } }
    }

    func reset() { state.withLock { $0.failures.removeAll(keepingCapacity: true) } }
}
