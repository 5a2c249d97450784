internal import CSagamoreRdKafka

/// The callbacks of a librdkafka client. The object is the client's opaque pointer and lives until the client is
/// destroyed.
final class ClientCallbacks: Sendable {
    private let log: (@Sendable (KafkaLogLine) -> Void)?
    private let onDelivery: @Sendable (UnsafePointer<rd_kafka_message_t>) -> Void
    private let onFailure: @Sendable (KafkaError) -> Void

    /// - Parameters:
    ///   - onDelivery: receives each delivery report: the record was delivered, or failed for good. On the polling
    ///     thread.
    ///   - onFailure: receives each error of the whole client, after it was logged. On the polling thread.
    init(
        log: (@Sendable (KafkaLogLine) -> Void)?,
        onDelivery: @escaping @Sendable (UnsafePointer<rd_kafka_message_t>) -> Void = { _ in },
        onFailure: @escaping @Sendable (KafkaError) -> Void = { _ in }
    ) {
        self.log = log
        self.onDelivery = onDelivery
        self.onFailure = onFailure
    }

    private func failed(_ error: KafkaError) {
        write(error.isFatal ? .error : .warning, "ERROR", error.description)
        onFailure(error)
    }

    func write(_ level: KafkaLogLine.Level, _ facility: String, _ text: String) {
        log?(KafkaLogLine(level: level, facility: facility, text: text))
    }

    private static func from(_ opaque: UnsafeMutableRawPointer?) -> ClientCallbacks? {
        opaque.map { Unmanaged<ClientCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Makes `configuration` call this object.
    func install(in configuration: OpaquePointer, deliveryReports: Bool) {
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, text in
            guard let client, let facility, let text else { return }
            ClientCallbacks.from(rd_kafka_opaque(client))?
                .write(.init(syslog: level), String(cString: facility), String(cString: text))
        }
        rd_kafka_conf_set_error_cb(configuration) { client, code, reason, opaque in
            let native = rd_kafka_resp_err_t(rawValue: code)
            let fatal = native == RD_KAFKA_RESP_ERR__FATAL ? client.flatMap { KafkaError(fatalOf: $0) } : nil
            ClientCallbacks.from(opaque)?.failed(fatal ?? KafkaError(native, reason.map { String(cString: $0) }))
        }
        guard deliveryReports else { return }
        rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
            guard let message else { return }
            ClientCallbacks.from(opaque)?.onDelivery(message)
        }
    }
}
