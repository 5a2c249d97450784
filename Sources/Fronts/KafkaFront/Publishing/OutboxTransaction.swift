internal import SagamoreKafkaClient
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// One Kafka transaction: the records of a batch, and the cursors of their topics. Each step makes a few calls of the
/// producer. Used by the publisher's loop.
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

    /// What a step leads to.
    enum Progress {
        /// The next step is due then.
        case continues(Wake)
        case ended(Outcome)
    }

    private enum State {
        /// Can transition to: `producing`.
        case beginning
        /// Can transition to: `sendingCursors`, `aborting`.
        case producing
        /// The cursors up to `next` are sent. Can transition to: `committing`, `aborting`.
        case sendingCursors(next: Int)
        /// Can transition to: `aborting`.
        case committing
        case aborting(Cause)
    }

    /// Why a transaction is aborted.
    private enum Cause {
        case outcome(Outcome)
        /// The delivery reports tell, together with the error of the call that failed. Nil: a report failed.
        case reports(KafkaError?)
    }

    /// Repetitions of a call.
    private struct Retry {
        let deadline: ContinuousClock.Instant
        var backoff = Backoff(first: .milliseconds(10), longest: .milliseconds(500))
    }

    let batch: OutboxBatch
    private let context: PublisherContext
    private let producer: any TransactionalProducer
    private let cursors: [(topic: String, sequence: Int64)]
    private var state = State.beginning
    private var retry: Retry?
    private var timestamp: Int64 = 0
    private var topicOf: [UInt64: String] = [:]

    /// A transaction that sends the records and the cursors of a batch.
    init(_ batch: OutboxBatch, producer: any TransactionalProducer, context: PublisherContext) {
        self.batch = batch
        self.producer = producer
        self.context = context
        cursors = batch.cursors.sorted { $0.key < $1.key }.map { (topic: $0.key, sequence: $0.value) }
    }

    private var callLimit: Duration { context.settings.callLimit }

    /// - Throws: when the producer must be replaced.
    mutating func step() throws(PublisherError) -> Progress {
        switch state {
        case .beginning:
            do throws(KafkaError) { try producer.begin() } catch { throw PublisherError(error) }
            timestamp = context.settings.clock().nanoseconds / 1_000_000
            state = .producing
            return .continues(.now)
        case .producing:
            try produce()
            return .continues(.now)
        case .sendingCursors(let next): return .continues(try sendCursor(next))
        case .committing: return try commit()
        case .aborting(let cause): return .ended(try abort(cause))
        }
    }

    private mutating func produce() throws(PublisherError) {
        for row in batch.rows {
            guard let record = batch.record(of: row) else { continue }
            topicOf[UInt64(row.sequence)] = record.topic
            do throws(KafkaError) {
                let isIsolated = batch.isIsolated(row)
                if isIsolated { try producer.flush(timeout: callLimit) }
                try produce(record, row.sequence)
                if isIsolated { try producer.flush(timeout: callLimit) }
            } catch {
                if error.isFatal { throw PublisherError(error) }
                state = .aborting(Self.cause(error, record.topic, row.sequence))
                return
            }
            if batch.isolatesAny, !producer.failures.isEmpty {
                state = .aborting(.reports(nil))
                return
            }
        }
        state = .sendingCursors(next: 0)
    }

    private static func cause(_ error: KafkaError, _ topic: String, _ sequence: Int64) -> Cause {
        if error.isRecordRefused { return .outcome(.refused([sequence: error])) }
        if error.isTopicUnavailable { return .outcome(.blocked([topic: error])) }
        return .reports(error)
    }

    private mutating func sendCursor(_ index: Int) throws(PublisherError) -> Wake {
        let (topic, sequence) = cursors[index]
        let (settings, producer, callLimit) = (context.settings, producer, callLimit)
        let offset = KafkaTransactionalProducer.Offset(
            settings.cursor(shard: context.shard),
            sequence,
            metadata: settings.installationID
        )
        let group = settings.cursorGroup(topic: topic)
        do throws(KafkaError) {
            let wake = try attempt { () throws(KafkaError) in
                try producer.sendOffsets(group: group, [offset], timeout: callLimit)
            }
            if let wake { return wake }
            state = index + 1 < cursors.count ? .sendingCursors(next: index + 1) : .committing
        } catch {
            if error.isFatal { throw PublisherError(error) }
            state = .aborting(.reports(error))
        }
        return .now
    }

    /// A commit that timed out is resumed by the same call. One that is given up may still take effect, so it is not
    /// aborted.
    private mutating func commit() throws(PublisherError) -> Progress {
        let (producer, callLimit) = (producer, callLimit)
        do throws(KafkaError) {
            let wake = try attempt { () throws(KafkaError) in try producer.commit(timeout: callLimit) }
            return wake.map(Progress.continues) ?? .ended(.committed)
        } catch {
            guard error.requiresAbort else { throw PublisherError(error) }
            state = .aborting(.reports(error))
            return .continues(.now)
        }
    }

    private func produce(_ record: OutboxRecord, _ sequence: Int64) throws(KafkaError) {
        try producer.produce(
            topic: record.topic,
            key: record.key,
            value: record.value,
            headers: record.headers.map { KafkaHeader($0.name, $0.value) },
            partition: nil,
            timestamp: timestamp,
            record: UInt64(sequence)
        )
    }

    /// Makes a call that is repeated while its error is retriable, up to a limit.
    ///
    /// - Returns: when to repeat it; nil when it has succeeded.
    private mutating func attempt(_ call: () throws(KafkaError) -> Void) throws(KafkaError) -> Wake? {
        var retry = self.retry ?? Retry(deadline: context.now + callLimit * 6)
        do throws(KafkaError) {
            try call()
            self.retry = nil
            return nil
        } catch {
            let isRepeated = error.isRetriable && !error.isFatal && !error.requiresAbort
            guard isRepeated, !context.isStopped, context.now < retry.deadline else {
                self.retry = nil
                throw error
            }
            context.reachability.lost(error.description)
            // A call that timed out has waited already.
            let wake = error.isTimeout ? Wake.now : .at(context.now + retry.backoff.next(context.environment.chance))
            self.retry = retry
            return wake
        }
    }

    /// Aborts and sorts out why. All delivery reports have arrived only after the abort. An abort that fails is not
    /// repeated: a new producer ends the transaction as well.
    private func abort(_ cause: Cause) throws(PublisherError) -> Outcome {
        do throws(KafkaError) {
            try producer.abort(timeout: callLimit)
        } catch {
            throw PublisherError(error)
        }
        switch cause {
        case .outcome(let outcome): return outcome
        case .reports(let error): return outcome(after: error)
        }
    }

    /// - Parameter error: of the call that failed; nil when a delivery report failed.
    private func outcome(after error: KafkaError?) -> Outcome {
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
}

extension KafkaError {
    /// The client lacks a permission for a topic, a group or the transactional id.
    var isAuthorization: Bool { code.description.hasSuffix("AUTHORIZATION_FAILED") }

    /// The topic accepts no records now, whatever they hold, and may accept the same ones later.
    var isTopicUnavailable: Bool { isUnknownTopic || isTopicAuthorization || isTimestampRefused }
}
