internal import CSagamoreRdKafka
internal import SagamoreThreads

extension KafkaAdmin {
    /// Gives a topic more partitions, and waits until the cluster has them.
    ///
    /// - Parameter total: how many it has afterwards; a topic that has as many already is an error.
    public func createPartitions(
        of topic: String,
        total: Int,
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) {
        var reason = [CChar](repeating: 0, count: 512)
        guard let new = rd_kafka_NewPartitions_new(topic, total, &reason, reason.count) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, String(cText: reason))
        }
        var requests: [OpaquePointer?] = [new]
        defer { rd_kafka_NewPartitions_destroy(new) }
        let deadline = ContinuousClock.now + timeout
        try client.ask(
            RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
            timeout: timeout,
            options: { _ = rd_kafka_AdminOptions_set_operation_timeout($0, timeout.milliseconds, nil, 0) },
            send: { rd_kafka_CreatePartitions(client.pointer, &requests, requests.count, $0, $1) },
            read: { answer throws(KafkaError) in
                var count = 0
                let result = rd_kafka_event_CreatePartitions_result(answer)
                let results = rd_kafka_CreatePartitions_result_topics(result, &count)
                for result in UnsafeBufferPointer(start: results, count: count) {
                    let native = rd_kafka_topic_result_error(result)
                    guard native != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
                    throw KafkaError(native, rd_kafka_topic_result_error_string(result).map { String(cString: $0) })
                }
            }
        )
        while true {
            let counts = try partitionCounts([topic], timeout: max(deadline - .now, .seconds(1)))
            guard case .success(let count)? = counts[topic], count < total else { return }
            guard ContinuousClock.now < deadline else { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT) }
            SystemThread.sleep(.milliseconds(10))
        }
    }

    /// Creates topics and waits until the cluster has them. Existing topics are left unchanged.
    ///
    /// - Parameters:
    ///   - replication: −1 takes the broker's default.
    ///   - configuration: settings of the topics, by Kafka's names (`retention.ms` …).
    /// - Throws: ``KafkaError`` of the first topic that could not be created, or when no broker answers. The
    ///   development broker does not support this request; use ``KafkaDevelopmentBroker/createTopics(_:partitions:)``.
    public func createTopics(
        _ names: [String],
        partitions: Int,
        replication: Int = -1,
        configuration: [String: String] = [:],
        timeout: Duration = .seconds(30)
    ) throws(KafkaError) {
        var requests: [OpaquePointer?] = []
        defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
        for name in Set(names).sorted() {
            var reason = [CChar](repeating: 0, count: 512)
            guard
                let request = rd_kafka_NewTopic_new(
                    name,
                    Int32(clamping: partitions),
                    Int32(clamping: replication),
                    &reason,
                    reason.count
                )
            else { throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, String(cText: reason)) }
            requests.append(request)
            for (key, value) in configuration { _ = rd_kafka_NewTopic_set_config(request, key, value) }
        }
        guard !requests.isEmpty else { return }
        let deadline = ContinuousClock.now + timeout
        try client.ask(
            RD_KAFKA_ADMIN_OP_CREATETOPICS,
            timeout: timeout,
            options: { _ = rd_kafka_AdminOptions_set_operation_timeout($0, timeout.milliseconds, nil, 0) },
            send: { rd_kafka_CreateTopics(client.pointer, &requests, requests.count, $0, $1) },
            read: { answer throws(KafkaError) in
                var count = 0
                let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count)
                for result in UnsafeBufferPointer(start: results, count: count) {
                    let native = rd_kafka_topic_result_error(result)
                    if native == RD_KAFKA_RESP_ERR_NO_ERROR || native == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS {
                        continue
                    }
                    throw KafkaError(native, rd_kafka_topic_result_error_string(result).map { String(cString: $0) })
                }
            }
        )
        // The brokers learn of new topics some milliseconds after the controller has answered.
        while try partitionCounts(names, timeout: max(deadline - .now, .milliseconds(1))).values
            .contains(where: { if case .failure(let error) = $0 { error.isUnknownTopic } else { false } })
        {
            guard ContinuousClock.now < deadline else { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT) }
            SystemThread.sleep(.milliseconds(10))
        }
    }
}
