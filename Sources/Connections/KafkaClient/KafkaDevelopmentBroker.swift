internal import CSagamoreRdKafka
internal import SagamoreThreads

/// A broker inside this process, for development: librdkafka's mock cluster, on a free port of the loopback
/// interface.
///
/// It implements the real protocol with groups, rebalances and headers, also for other processes that use librdkafka.
/// It keeps records in memory, at most 5 MiB or 100,000 batches per partition; they are lost when the process ends. Its
/// transactions do nothing: aborted records are visible, offsets in transactions are discarded, and producers are not
/// fenced. Exactly-once delivery needs a real broker.
public final class KafkaDevelopmentBroker: Sendable {
    /// Where clients reach it: `127.0.0.1:port`.
    public let bootstrap: String
    /// A unique name of this broker. The mock cluster's own id is derived from a memory address and can repeat.
    public let clusterID: String

    private struct Cluster: Sendable {
        let client: ClientHandle
        // Used only under the lock.
        nonisolated(unsafe) let native: OpaquePointer
    }
    private let cluster: Locked<Cluster?>

    /// Starts a broker.
    ///
    /// - Parameters:
    ///   - topics: topics to create. Others are created with four partitions when a client first names them.
    ///   - log: receives librdkafka's log lines.
    /// - Throws: ``KafkaError`` when it cannot listen.
    public init(
        topics: [String] = [],
        partitions: Int = 8,
        log: (@Sendable (KafkaLogLine) -> Void)? = nil
    ) throws(KafkaError) {
        let client = try ClientHandle(
            RD_KAFKA_PRODUCER,
            KafkaConfiguration(bootstrap: "", clientID: "sagamore-development-broker"),
            callbacks: ClientCallbacks(log: log)
        )
        guard
            let native = rd_kafka_mock_cluster_new(client.pointer, 1),
            let bootstrap = rd_kafka_mock_cluster_bootstraps(native)
        else { throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, "the development broker cannot listen on 127.0.0.1") }
        self.bootstrap = String(cString: bootstrap)
        var generator = SystemRandomNumberGenerator()
        clusterID = "development-" + String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
        cluster = Locked(Cluster(client: client, native: native))
        do {
            try createTopics(topics, partitions: partitions)
        } catch {
            close()
            throw error
        }
    }

    /// Creates topics. Existing topics are left unchanged.
    /// - Throws: ``KafkaError`` when a name is invalid, or the broker is closed.
    public func createTopics(_ names: [String], partitions: Int = 8) throws(KafkaError) {
        let failure = cluster.withLock { cluster -> KafkaError? in
            guard let native = cluster?.native else {
                return KafkaError(RD_KAFKA_RESP_ERR__DESTROY, "the development broker is closed")
            }
            for name in names {
                let error = rd_kafka_mock_topic_create(native, name, Int32(clamping: partitions), 1)
                if error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { continue }
                return KafkaError(error)
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Makes requests about a topic (its metadata, adding it to a transaction) fail with `code`; nil lets them succeed
    /// again.
    public func refuse(_ topic: String, with code: KafkaError.Code?) {
        cluster.withLock { cluster in
            guard let native = cluster?.native else { return }
            rd_kafka_mock_topic_set_error(native, topic, code?.native ?? RD_KAFKA_RESP_ERR_NO_ERROR)
        }
    }

    /// Stops the broker. Clients lose their connections, and the records are lost. May be repeated.
    public func close() {
        cluster.withLock { cluster in
            guard let native = cluster?.native else { return }
            rd_kafka_mock_cluster_destroy(native)
            cluster = nil
        }
    }

    deinit { close() }
}
