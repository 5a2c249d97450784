internal import CSagamoreRdKafka
internal import SagamoreThreads
internal import Synchronization

/// Owns one librdkafka client. All its users hold a reference; releasing the last one destroys it.
final class ClientHandle: Sendable {
    /// How long the thread that releases a client waits for its destruction.
    static let destroyLimit = Duration.seconds(2)

    // A client is thread-safe, and the pointer never changes.
    nonisolated(unsafe) let pointer: OpaquePointer
    let callbacks: ClientCallbacks
    /// Flags for the destruction; set them before the last release.
    let destroyFlags = Atomic<Int32>(0)

    /// `configuration.properties` override `defaults`, and `fixed` overrides both.
    init(
        _ type: rd_kafka_type_t,
        _ configuration: KafkaConfiguration,
        defaults: [String: String] = [:],
        fixed: [String: String] = [:],
        events: Int32 = 0,
        callbacks: ClientCallbacks
    ) throws(KafkaError) {
        var settings = [
            "client.id": configuration.clientID,
            "socket.keepalive.enable": "true",
            "socket.nagle.disable": "true",
            "log.connection.close": "false",
            // Brokers that return and topics that are created later are noticed soon.
            "reconnect.backoff.ms": "50",
            "reconnect.backoff.max.ms": "1000",
            "topic.metadata.refresh.interval.ms": "10000",
        ]
        settings.merge(defaults) { $1 }
        settings.merge(configuration.properties) { $1 }
        settings.merge(fixed) { $1 }
        if !configuration.bootstrap.isEmpty { settings["bootstrap.servers"] = configuration.bootstrap }

        guard let native = rd_kafka_conf_new() else {
            throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, "no memory for a configuration")
        }
        do {
            try Self.apply(settings, to: native)
        } catch {
            rd_kafka_conf_destroy(native)
            throw error
        }
        callbacks.install(in: native, deliveryReports: type == RD_KAFKA_PRODUCER)
        if events != 0 { rd_kafka_conf_set_events(native, events) }
        var reason = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, native, &reason, reason.count) else {
            let code = rd_kafka_last_error()
            rd_kafka_conf_destroy(native)
            throw KafkaError(code, String(cText: reason))
        }
        pointer = client
        self.callbacks = callbacks
        _ = Unmanaged.passRetained(callbacks)
    }

    /// Errors name only the property: librdkafka's own message may quote the value, which may be a secret.
    static func apply(_ settings: [String: String], to native: OpaquePointer) throws(KafkaError) {
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            switch rd_kafka_conf_set(native, name, value, nil, 0) {
            case RD_KAFKA_CONF_OK: continue
            case RD_KAFKA_CONF_UNKNOWN:
                throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, "librdkafka has no property \"\(name)\"")
            default:
                throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, "the value of property \"\(name)\" is invalid")
            }
        }
    }

    /// Destroys the client on a thread of its own, because that joins librdkafka's threads, which may be resolving a
    /// name. The caller waits for a limited time.
    deinit {
        let hasEnded = Monitor(false)
        let callbacks = callbacks
        let flags = destroyFlags.load(ordering: .relaxed)
        nonisolated(unsafe) let client = pointer
        let destroy: @Sendable () -> Void = {
            rd_kafka_destroy_flags(client, flags)
            Unmanaged.passUnretained(callbacks).release()
            hasEnded.change { $0 = true }
        }
        do throws(ThreadError) {
            _ = try SystemThread("kafka-destroy", destroy)
        } catch {
            destroy()
        }
        if hasEnded.wait(atMost: Self.destroyLimit, for: { $0 ? true : nil }) == nil {
            callbacks.write(.warning, "DESTROY", "a client was not destroyed within \(Self.destroyLimit)")
        }
    }
}

extension Duration {
    /// Whole milliseconds for librdkafka, rounded up and kept within its range.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        if seconds >= 2_000_000 { return 2_000_000_000 }
        if seconds < 0 { return 0 }
        return Int32(seconds) * 1000 + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
