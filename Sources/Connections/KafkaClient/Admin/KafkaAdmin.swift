internal import CSagamoreRdKafka
internal import SagamoreThreads

/// Requests to the cluster about topics, partitions and offsets. Every call blocks until the broker answers or the time
/// limit expires. It may be used from any thread that may block.
public final class KafkaAdmin: Sendable {
    let client: ClientHandle
    let configuration: KafkaConfiguration
    /// Why the last connection to a broker failed.
    private let lastFailure: Locked<String?>

    /// Creates a client.
    /// - Throws: ``KafkaError`` when a property is unknown or invalid. An unreachable broker is not an error here.
    public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
        self.configuration = configuration
        let lastFailure = Locked<String?>(nil)
        self.lastFailure = lastFailure
        // A consumer without a group: it reads only committed data, and its requests create no topics.
        client = try ClientHandle(
            RD_KAFKA_CONSUMER,
            configuration,
            fixed: ["isolation.level": "read_committed", "allow.auto.create.topics": "false"],
            callbacks: ClientCallbacks(
                log: { line in
                    if line.facility == "FAIL" { lastFailure.withLock { $0 = Self.reason(line.text) } }
                    configuration.log?(line)
                }
            )
        )
    }

    /// The cluster's id. Also tells whether a broker answers.
    /// - Throws: ``KafkaError`` (a timeout) when no broker answers.
    public func clusterID(timeout: Duration = .seconds(10)) throws(KafkaError) -> String {
        guard let id = rd_kafka_clusterid(client.pointer, timeout.milliseconds) else {
            let reason = lastFailure.withLock { $0 }.map { ": \($0)" } ?? ""
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, "no broker answered\(reason)")
        }
        defer { rd_kafka_mem_free(client.pointer, id) }
        return String(cString: id)
    }

    /// What librdkafka says of a connection, without its names for the thread and the broker, and without times, which
    /// would make each line another one: `[thrd:x]: x: Connection refused (after 1ms in state CONNECT)`.
    private static func reason(_ text: String) -> String {
        var reason = text[...]
        for separator in ["]: ", ": "] {
            if let range = reason.firstRange(of: separator) { reason = reason[range.upperBound...] }
        }
        if let range = reason.firstRange(of: " (after ") { reason = reason[..<range.lowerBound] }
        return String(reason)
    }

    /// The number of partitions of each topic, or why it is unknown (``KafkaError/isUnknownTopic``,
    /// ``KafkaError/isTopicAuthorization``).
    /// - Throws: ``KafkaError`` when no broker answers.
    public func partitionCounts(
        _ topics: [String],
        timeout: Duration = .seconds(10)
    ) throws(KafkaError) -> [String: Result<Int, KafkaError>] {
        let deadline = ContinuousClock.now + timeout
        var counts: [String: Result<Int, KafkaError>] = [:]
        for topic in Set(topics) { counts[topic] = try partitionCount(topic, deadline) }
        return counts
    }

    private func partitionCount(
        _ topic: String,
        _ deadline: ContinuousClock.Instant
    ) throws(KafkaError) -> Result<Int, KafkaError> {
        guard let handle = rd_kafka_topic_new(client.pointer, topic, nil) else {
            return .failure(KafkaError(rd_kafka_last_error()))
        }
        defer { rd_kafka_topic_destroy(handle) }
        while true {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let left = deadline - .now
            let native = rd_kafka_metadata(
                client.pointer,
                0,
                handle,
                &metadata,
                max(left, .milliseconds(1)).milliseconds
            )
            guard native == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw KafkaError(native) }
            defer { rd_kafka_metadata_destroy(metadata) }
            guard metadata.pointee.topic_cnt == 1, let answer = metadata.pointee.topics?.pointee else {
                return .failure(KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART))
            }
            // A new topic has no leaders for a moment.
            if answer.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, left > .milliseconds(50) {
                SystemThread.sleep(.milliseconds(50))
                continue
            }
            guard answer.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaError(answer.err)) }
            return .success(Int(answer.partition_cnt))
        }
    }
}
