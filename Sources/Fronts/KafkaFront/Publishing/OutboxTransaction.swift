internal import SagamoreKafkaClient
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// One Kafka transaction: records of the outbox, and the cursors of their topics. Used by the publisher's thread.
struct OutboxTransaction {
    /// What became of it. All but `committed` are aborted.
    enum Outcome {
        case committed
        /// These records, or some in the same batch, are never accepted.
        case refused([Int64: KafkaError])
        /// These topics can't be written now.
        case blocked([String: KafkaError])
        /// Something is not allowed or not there, and nothing says which.
        case unclear(KafkaError)
        /// It may go better the next time.
        case again(KafkaError)
    }

    let producer: KafkaTransactionalProducer
    let settings: PublisherSettings
    let shard: Int32
    let isStopped: () -> Bool
    let noteLost: (KafkaError) -> Void

    /// - Parameters:
    ///   - rows: in order; the last one of each topic is where its cursor goes.
    ///   - smaller: what is sent in the place of some of the rows.
    ///   - left: rows that are passed over.
    ///   - alone: rows that are sent in batches of their own.
    /// - Throws: when the producer is over.
    func run(
        _ rows: [OutboxRow],
        smaller: [Int64: OutboxRecord],
        left: Set<Int64>,
        alone: Set<Int64>
    ) throws(PublisherTrouble) -> Outcome {
        do throws(KafkaError) {
            try producer.begin()
        } catch {
            throw PublisherTrouble(error)
        }
        let timestamp = settings.clock().nanoseconds / 1_000_000
        var topicOf: [UInt64: String] = [:]
        var cursors: [String: Int64] = [:]
        for row in rows {
            cursors[row.record.topic] = row.sequence
            guard !left.contains(row.sequence) else { continue }
            topicOf[UInt64(row.sequence)] = row.record.topic
            do throws(KafkaError) {
                if alone.contains(row.sequence) { try producer.flush(timeout: settings.callLimit) }
                try produce(smaller[row.sequence] ?? row.record, row.sequence, timestamp)
                if alone.contains(row.sequence) { try producer.flush(timeout: settings.callLimit) }
            } catch {
                if error.isFatal { throw PublisherTrouble(error) }
                if error.isRecordRefused { return try end(.refused([row.sequence: error])) }
                if error.isTopicUnavailable {
                    return try end(.blocked([row.record.topic: error]))
                }
                return try classify(error, topicOf)
            }
            if !alone.isEmpty, !producer.failures.isEmpty { return try classify(nil, topicOf) }
        }
        do throws(KafkaError) {
            try sendCursors(cursors)
        } catch {
            return try classify(error, topicOf)
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
    private func commit(_ topicOf: [UInt64: String]) throws(PublisherTrouble) -> Outcome {
        do throws(KafkaError) {
            try repeating { () throws(KafkaError) in try producer.commit(timeout: settings.callLimit) }
            return .committed
        } catch {
            if error.requiresAbort { return try classify(error, topicOf) }
            throw PublisherTrouble(error)
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
                noteLost(error)
                // A call that timed out has waited already.
                if !error.isTimeout { SystemThread.sleep(backoff.next()) }
            }
        }
    }

    /// Aborts, and finds what to do about it. Only then are all reports in.
    ///
    /// - Parameter error: of the call that failed; nil when a report said so.
    private func classify(_ error: KafkaError?, _ topicOf: [UInt64: String]) throws(PublisherTrouble) -> Outcome {
        if let error, error.isFatal { throw PublisherTrouble(error) }
        try abort()
        var refused: [Int64: KafkaError] = [:]
        var blocked: [String: KafkaError] = [:]
        var first: KafkaError?
        for failure in producer.failures where !failure.error.isPurged {
            first = first ?? failure.error
            if failure.error.isRecordRefused { refused[Int64(failure.record)] = failure.error }
            guard failure.error.isTopicUnavailable else { continue }
            if let topic = topicOf[failure.record] { blocked[topic] = failure.error }
        }
        if !refused.isEmpty { return .refused(refused) }
        if !blocked.isEmpty { return .blocked(blocked) }
        let cause = error ?? first ?? Self.aborted
        // After a refused batch the numbering of records has a gap: librdkafka aborts the next transaction once more.
        return cause.isTopicUnavailable || cause.isAuthorization ? .unclear(cause) : .again(cause)
    }

    private static let aborted = KafkaError(
        code: .init(rawValue: -1),
        message: "the transaction was aborted",
        isRetriable: true
    )

    private func end(_ outcome: Outcome) throws(PublisherTrouble) -> Outcome {
        try abort()
        return outcome
    }

    /// An abort that does not succeed at once is not repeated: a new producer ends the transaction as well.
    private func abort() throws(PublisherTrouble) {
        do throws(KafkaError) {
            try producer.abort(timeout: settings.callLimit)
        } catch {
            throw PublisherTrouble(error)
        }
    }
}

extension KafkaError {
    /// Something may not be used, be it a topic, a group or the transactional id.
    var isAuthorization: Bool { code.description.hasSuffix("AUTHORIZATION_FAILED") }

    /// The topic accepts no records now, whatever they hold, and may accept the same ones later.
    var isTopicUnavailable: Bool { isUnknownTopic || isTopicAuthorization || isTimestampRefused }
}
