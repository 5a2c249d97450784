internal import CSagamoreRdKafka

extension ClientHandle {
    /// Sends one request of librdkafka's admin interface and passes its answer to `read`.
    func ask<Answer>(
        _ kind: rd_kafka_admin_op_t,
        timeout: Duration,
        options configure: (OpaquePointer) -> Void = { _ in },
        send: (_ options: OpaquePointer, _ queue: OpaquePointer) -> Void,
        read: (_ answer: OpaquePointer) throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        guard let queue = rd_kafka_queue_new(pointer), let options = rd_kafka_AdminOptions_new(pointer, kind) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE)
        }
        defer {
            rd_kafka_AdminOptions_destroy(options)
            rd_kafka_queue_destroy(queue)
        }
        let milliseconds = min(max(timeout.milliseconds, 1), 3_600_000)
        _ = rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, nil, 0)
        configure(options)
        send(options, queue)
        // The request itself answers when its timeout expires; wait a little longer for that answer.
        guard let answer = rd_kafka_queue_poll(queue, milliseconds + 1000) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        defer { rd_kafka_event_destroy(answer) }
        let native = rd_kafka_event_error(answer)
        guard native == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(native, rd_kafka_event_error_string(answer).map { String(cString: $0) })
        }
        return try read(answer)
    }
}
