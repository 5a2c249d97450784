internal import CSagamoreRdKafka
internal import SagamoreThreads

/// A broker inside this process, for development: librdkafka's mock cluster, on a free port of the loopback
/// interface.
///
/// It speaks the real protocol with groups, rebalances and headers, also to other processes, if they are built on
/// librdkafka. It keeps records in memory, at most 5 MiB or 100,000 batches a partition, and nothing past the
/// process. Its transactions are a façade: aborted records are visible, offsets in transactions are thrown away, and
/// producers are not fenced; for exactly-once a real broker is needed.
public final class KafkaDevelopmentBroker: Sendable {
    /// Where clients reach it: `127.0.0.1:port`.
    public let bootstrap: String
    /// A name for this broker's records that no other one ever has; its own cluster id is made from a memory address
    /// and may come again.
    public let clusterID: String

    private struct Cluster: Sendable {
        let client: ClientHandle
        // Used under the lock only.
        nonisolated(unsafe) let native: OpaquePointer
    }
    private let cluster: Locked<Cluster?>

    /// Starts a broker.
    ///
    /// - Parameters:
    ///   - topics: topics to begin with. Others are created when a producer first names them, with four partitions.
    ///   - log: takes librdkafka's log lines.
    /// - Throws: ``KafkaError`` when it can't listen.
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
        else { throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, "the development broker can't listen on 127.0.0.1") }
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

    /// Creates topics; those that exist already are left as they are.
    /// - Throws: ``KafkaError`` when a name is not valid, or the broker is closed.
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

    /// Makes requests about a topic (its metadata, adding it to a transaction) fail with `code`; nil ends that.
    public func refuse(_ topic: String, with code: KafkaError.Code?) {
        cluster.withLock { cluster in
            guard let native = cluster?.native else { return }
            rd_kafka_mock_topic_set_error(native, topic, code?.native ?? RD_KAFKA_RESP_ERR_NO_ERROR)
        }
    }

    /// Ends it; clients lose their connections, and the records are gone. May be repeated.
    public func close() {
        cluster.withLock { cluster in
            guard let native = cluster?.native else { return }
            rd_kafka_mock_cluster_destroy(native)
            cluster = nil
        }
    }

    deinit { close() }
}
