internal import SagamoreKafkaClient
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// One Kafka transaction: the records of a batch, and the cursors of their topics. Used by the publisher's thread.
struct OutboxTransaction {
    /// How it ended. All outcomes but `committed` are aborted transactions.
    enum Outcome {
        case committed
        /// Records that are never accepted; with several, some were only in the same batch.
        case refused([Int64: KafkaError])
        /// Topics that cannot be written now.
        case blocked([String: KafkaError])
        /// Something is missing or forbidden, and no report says which topic it is.
        case unclear(KafkaError)
        /// The next transaction may succeed.
        case retriable(KafkaError)
    }

    let producer: KafkaTransactionalProducer
    let settings: PublisherSettings
    let shard: Int32
    let isStopped: () -> Bool
    let reportUnreachable: (KafkaError) -> Void

    /// Sends the records and the cursors of a batch.
    ///
    /// - Throws: when the producer must be replaced.
    func run(_ batch: OutboxBatch) throws(PublisherError) -> Outcome {
        do throws(KafkaError) {
            try producer.begin()
        } catch {
            throw PublisherError(error)
        }
        let timestamp = settings.clock().nanoseconds / 1_000_000
        var topicOf: [UInt64: String] = [:]
        for row in batch.rows {
            guard let record = batch.record(of: row) else { continue }
            topicOf[UInt64(row.sequence)] = record.topic
            do throws(KafkaError) {
                let isIsolated = batch.isIsolated(row)
                if isIsolated { try producer.flush(timeout: settings.callLimit) }
                try produce(record, row.sequence, timestamp)
                if isIsolated { try producer.flush(timeout: settings.callLimit) }
            } catch {
                if error.isFatal { throw PublisherError(error) }
                if error.isRecordRefused { return try abort(.refused([row.sequence: error])) }
                if error.isTopicUnavailable { return try abort(.blocked([record.topic: error])) }
                return try abort(after: error, topicOf)
            }
            if batch.isolatesAny, !producer.failures.isEmpty { return try abort(after: nil, topicOf) }
        }
        do throws(KafkaError) {
            try sendCursors(batch.cursors)
        } catch {
            if error.isFatal { throw PublisherError(error) }
            return try abort(after: error, topicOf)
        }
        return try commit(topicOf)
    }

    private func sendCursors(_ cursors: [String: Int64]) throws(KafkaError) {
        for (topic, sequence) in cursors.sorted(by: { $0.key < $1.key }) {
            let offset = KafkaTransactionalProducer.Offset(
                settings.cursor(shard: shard),
                sequence,
                metadata: settings.installationID
            )
            let group = settings.cursorGroup(topic: topic)
            try repeating { () throws(KafkaError) in
                try producer.sendOffsets(group: group, [offset], timeout: settings.callLimit)
            }
        }
    }

    /// A commit that timed out is resumed by the same call. One that is given up may still take effect, so it is not
    /// aborted.
    private func commit(_ topicOf: [UInt64: String]) throws(PublisherError) -> Outcome {
        do throws(KafkaError) {
            try repeating { () throws(KafkaError) in try producer.commit(timeout: settings.callLimit) }
            return .committed
        } catch {
            if error.requiresAbort { return try abort(after: error, topicOf) }
            throw PublisherError(error)
        }
    }

    private func produce(_ record: OutboxRecord, _ sequence: Int64, _ timestamp: Int64) throws(KafkaError) {
        try producer.produce(
            topic: record.topic,
            key: record.key,
            value: record.value,
            headers: record.headers.map { KafkaHeader($0.name, $0.value) },
            timestamp: timestamp,
            record: UInt64(sequence)
        )
    }

    /// Repeats a call while its error is retriable, up to a limit.
    private func repeating(_ call: () throws(KafkaError) -> Void) throws(KafkaError) {
        let deadline = ContinuousClock.now + settings.callLimit * 6
        var backoff = Backoff(first: .milliseconds(10), longest: .milliseconds(500))
        while true {
            do throws(KafkaError) {
                return try call()
            } catch {
                guard error.isRetriable, !error.isFatal, !error.requiresAbort, !isStopped(), .now < deadline else {
                    throw error
                }
                reportUnreachable(error)
                // A call that timed out has waited already.
                if !error.isTimeout { SystemThread.sleep(backoff.next()) }
            }
        }
    }

    /// Aborts and sorts out why. All delivery reports have arrived only after the abort.
    ///
    /// - Parameter error: of the call that failed; nil when a delivery report failed.
    private func abort(after error: KafkaError?, _ topicOf: [UInt64: String]) throws(PublisherError) -> Outcome {
        try abort()
        var refused: [Int64: KafkaError] = [:]
        var blocked: [String: KafkaError] = [:]
        let failures = producer.failures.filter { !$0.error.isPurged }
        for failure in failures {
            if failure.error.isRecordRefused {
                refused[Int64(failure.record)] = failure.error
            } else if failure.error.isTopicUnavailable, let topic = topicOf[failure.record] {
                blocked[topic] = failure.error
            }
        }
        if !refused.isEmpty { return .refused(refused) }
        if !blocked.isEmpty { return .blocked(blocked) }
        // After a refused batch the numbering of records has a gap: librdkafka aborts the next transaction as well.
        let cause = error ?? failures.first?.error ?? Self.aborted
        return cause.isTopicUnavailable || cause.isAuthorization ? .unclear(cause) : .retriable(cause)
    }

    private static let aborted = KafkaError(
        code: .init(rawValue: -1),
        message: "the transaction was aborted",
        isRetriable: true
    )

    private func abort(_ outcome: Outcome) throws(PublisherError) -> Outcome {
        try abort()
        return outcome
    }

    /// An abort that fails is not repeated: a new producer ends the transaction as well.
    private func abort() throws(PublisherError) {
        do throws(KafkaError) {
            try producer.abort(timeout: settings.callLimit)
        } catch {
            throw PublisherError(error)
        }
    }
}

extension KafkaError {
    /// The client lacks a permission for a topic, a group or the transactional id.
    var isAuthorization: Bool { code.description.hasSuffix("AUTHORIZATION_FAILED") }

    /// The topic accepts no records now, whatever they hold, and may accept the same ones later.
    var isTopicUnavailable: Bool { isUnknownTopic || isTopicAuthorization || isTimestampRefused }
}
