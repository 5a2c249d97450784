internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// A shard's producer, from its start until it is replaced, and the state of its topics. Used by the publisher's
/// thread.
final class PublisherSession {
    private let shard: Int32
    private let settings: PublisherSettings
    private let store: any OutboxStore
    private let admin: KafkaAdmin
    private let producer: KafkaTransactionalProducer
    private let bell: Doorbell
    private let reachability: Reachability
    private let log: Logger
    /// How far topics were published when the session began, as far as this process and the database know.
    private let knownPositions: [String: Int64]
    private var topics: TopicTable
    /// Aborted transactions in a row after which the producer is replaced.
    private static let attemptLimit = 8
    private var cleaner: OutboxCleaner

    /// Fences every other producer of the shard and waits until its transaction has ended. The cursors are final then.
    ///
    /// - Parameter progress: of the previous session; empty in the first one.
    init(
        shard: Int32,
        settings: PublisherSettings,
        store: any OutboxStore,
        admin: KafkaAdmin,
        bell: Doorbell,
        reachability: Reachability,
        progress: PublisherProgress,
        log: Logger
    ) throws(PublisherError) {
        self.shard = shard
        self.settings = settings
        self.store = store
        self.admin = admin
        self.bell = bell
        self.reachability = reachability
        self.log = log
        topics = TopicTable(reported: progress.reported)
        cleaner = OutboxCleaner(shard: shard, rowLimit: settings.deletionRows)
        do throws(KafkaError) {
            producer = try KafkaTransactionalProducer(
                settings.producer,
                transactionalID: settings.transactionalID(shard: shard)
            )
        } catch {
            throw .kafka(error)
        }
        try Self.initTransactions(producer, bell, reachability)
        // Every producer checks this after it was fenced, and this one after it has fenced others: the owner stays.
        guard try Self.query({ () throws(CommitError) in try store.standing(of: shard) }).isOwned else {
            throw .notOwned
        }
        let positions = try Self.query { () throws(CommitError) in try store.positions(of: shard) }
        knownPositions = positions.merging(progress.positions) { max($0, $1) }
    }

    private static func initTransactions(
        _ producer: KafkaTransactionalProducer,
        _ bell: Doorbell,
        _ reachability: Reachability
    ) throws(PublisherError) {
        var tries = 0
        while true {
            do throws(KafkaError) {
                try producer.initTransactions(timeout: .seconds(2))
                return reachability.found()
            } catch {
                if bell.isStopped { throw .stopped }
                guard error.isRetriable || error.isTimeout, !error.isFatal else { throw PublisherError(error) }
                // A coordinator that is still loading is no reason to report the broker as unreachable.
                tries += 1
                if tries > 4 { reachability.lost(error.description) }
            }
        }
    }

    private static func query<Value>(_ body: () throws(CommitError) -> Value) throws(PublisherError) -> Value {
        do throws(CommitError) {
            return try body()
        } catch {
            throw .store(error)
        }
    }

    /// What the next session needs.
    var progress: PublisherProgress {
        PublisherProgress(
            positions: knownPositions.merging(topics.positions) { max($0, $1) },
            reported: topics.reported
        )
    }

    /// How long the thread may sleep without a ring.
    var sleepLimit: Duration {
        let now = ContinuousClock.now
        return min(settings.slowPoll, topics.nextDue.map { max($0 - now, .milliseconds(10)) } ?? settings.slowPoll)
    }

    /// Publishes one batch of all topics that are read together, and one of each lagging topic.
    ///
    /// - Returns: whether there may be more to publish.
    func publishOnce() throws(PublisherError) -> Bool {
        try retryBlockedTopics()
        let rows = try read(.allBut(topics.separate), after: topics.scanned)
        var last: String?
        for row in rows where row.record.topic != last {
            last = row.record.topic
            if !topics.isKnown(row.record.topic) { try addTopic(row.record.topic) }
        }
        let free = try leaveOutWaiting(rows)
        if free.count < rows.count {
            let sequences = Set(free.map(\.sequence))
            for row in rows where !sequences.contains(row.sequence) { topics.readSeparately(row.record.topic) }
        }
        try publish(free.filter { topics.isJoined($0.record.topic) && isUnpublished($0) })
        if let last = rows.last { topics.scanned(to: last.sequence) }
        var hasMore = rows.count == settings.batchRows || byteCount(rows) >= settings.batchBytes
        for topic in topics.lagging {
            let rows = try read(.only(topic), after: topics.position(topic))
            let free = try leaveOutWaiting(rows)
            if rows.isEmpty { topics.caughtUp(topic) } else if !free.isEmpty { hasMore = true }
            try publish(free)
        }
        return hasMore
    }

    /// Records positions in the database and deletes published rows.
    func clean() throws(PublisherError) {
        do throws(CommitError) {
            try cleaner.clean(topics.positions, store)
        } catch {
            throw .store(error)
        }
    }

    private func read(_ topics: OutboxQuery.Topics, after: Int64) throws(PublisherError) -> [OutboxRow] {
        let query = OutboxQuery(
            shard: shard,
            topics: topics,
            after: after,
            rowLimit: settings.batchRows,
            byteLimit: settings.batchBytes
        )
        return try Self.query { () throws(CommitError) in try store.read(query) }
    }

    /// Leaves out records that have to wait. After slices have moved to this shard, older records of their keys may be
    /// unpublished in another shard's outbox.
    private func leaveOutWaiting(_ rows: [OutboxRow]) throws(PublisherError) -> [OutboxRow] {
        guard rows.contains(where: \.mayWait) else { return rows }
        let waits = try Self.query { () throws(CommitError) in try store.waits(of: shard) }
        return rows.filter { row in row.sequence <= waits[row.record.topic] ?? .max }
    }

    private func isUnpublished(_ row: OutboxRow) -> Bool { row.sequence > topics.position(row.record.topic) }

    private func byteCount(_ rows: [OutboxRow]) -> Int { rows.reduce(0) { $0 + ($1.record.value?.count ?? 0) } }

    // MARK: Topics

    /// Reads a topic's cursor, and checks that the topic exists.
    private func addTopic(_ topic: String) throws(PublisherError) {
        let group = settings.cursorGroup(topic: topic)
        var cursor: KafkaAdmin.CommittedOffset?
        while true {
            do throws(KafkaError) {
                cursor = try admin.committedOffset(
                    group: group,
                    settings.cursor(shard: shard),
                    timeout: settings.callLimit
                )
                break
            } catch {
                if bell.isStopped { throw .stopped }
                guard error.isRetriable || error.isTimeout else { throw .kafka(error) }
                reachability.lost(error.description)
            }
        }
        if let cursor { try check(cursor, topic) }
        topics.add(topic, position: max(cursor?.offset ?? 0, knownPositions[topic] ?? 0))
        if let error = try obstacle(topic) { block(topic, error) }
    }

    private func check(_ cursor: KafkaAdmin.CommittedOffset, _ topic: String) throws(PublisherError) {
        if !cursor.metadata.isEmpty, cursor.metadata != settings.installationID {
            throw .inconsistent("the cursor of \(topic) in Kafka belongs to another installation")
        }
        let counter = try Self.query { () throws(CommitError) in try store.standing(of: shard) }.outboxSequence
        if cursor.offset > counter {
            throw .inconsistent(
                "the cursor of \(topic) in Kafka is \(cursor.offset) but the database's last record is \(counter):"
                    + " the database was restored to an earlier state"
            )
        }
    }

    /// Why a topic cannot be written; nil when nothing is known against it.
    private func obstacle(_ topic: String) throws(PublisherError) -> KafkaError? {
        do throws(KafkaError) {
            if case .failure(let error)? = try admin.partitionCounts([topic], timeout: .seconds(5))[topic] {
                return error
            }
            return nil
        } catch {
            return error
        }
    }

    private func block(_ topic: String, _ error: KafkaError) {
        guard topics.block(topic, at: .now) else { return }
        log.error(
            "events cannot be written to their topic and wait: \(error.remedy)",
            metadata: ["topic": topic, "shard": "\(shard)", "error": error.description]
        )
    }

    private func retryBlockedTopics() throws(PublisherError) {
        for topic in topics.due(.now) {
            if let error = try obstacle(topic) {
                block(topic, error)
            } else {
                // Only the next transaction shows whether it accepts records.
                topics.unblock(topic)
            }
        }
    }

    // MARK: Transactions

    private func publish(_ rows: [OutboxRow]) throws(PublisherError) {
        var batch = OutboxBatch(rows)
        var backoff = Backoff(first: .milliseconds(20), longest: .seconds(2))
        let transaction = OutboxTransaction(
            producer: producer,
            settings: settings,
            shard: shard,
            isStopped: { [bell] in bell.isStopped },
            reportUnreachable: { [reachability] in reachability.lost($0.description) }
        )
        while !batch.rows.isEmpty {
            if bell.isStopped { throw .stopped }
            switch try transaction.run(batch) {
            case .committed:
                reachability.found()
                return confirm(batch.cursors)
            case .refused(let suspects):
                // Each refusal removes or shrinks a suspect, so the number of refusals is bounded.
                backoff.reset()
                for dead in batch.refuse(suspects) { try moveToDeadEvents(dead) }
            case .blocked(let blocked):
                backoff.reset()
                for (topic, error) in blocked { block(topic, error) }
                batch.remove(blocked.keys)
            case .unclear(let error):
                return try publishTopicsSeparately(batch, error)
            case .retriable(let error):
                let delay = backoff.next()
                guard backoff.attempts < Self.attemptLimit else { throw .kafka(error) }
                if error.isUnreachable || error.isTimeout { reachability.lost(error.description) }
                log.debug("a transaction was aborted, retrying", metadata: ["error": error.description])
                pause(delay)
            }
        }
    }

    private func confirm(_ cursors: [String: Int64]) {
        for topic in topics.published(cursors) {
            log.info("the events of a topic are published again", metadata: ["topic": topic, "shard": "\(shard)"])
        }
    }

    private func moveToDeadEvents(_ dead: OutboxBatch.DeadRow) throws(PublisherError) {
        let error = dead.error.description
        try Self.query { () throws(CommitError) in try store.insertDeadEvent(dead.row, shard: shard, error: error) }
        log.error(
            "the broker rejected a record for good; it was moved to dead_events",
            metadata: [
                "topic": dead.row.record.topic, "shard": "\(shard)", "sequence": "\(dead.row.sequence)",
                "error": error,
            ]
        )
    }

    /// Finds the topic that makes the transaction fail.
    private func publishTopicsSeparately(_ batch: OutboxBatch, _ error: KafkaError) throws(PublisherError) {
        let names = batch.topics
        if names.count == 1 { return block(names[0], error) }
        for name in names { try publish(batch.rows.filter { $0.record.topic == name }) }
    }

    private func pause(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while .now < end, !bell.isStopped { SystemThread.sleep(min(end - .now, .milliseconds(50))) }
    }
}

/// What a session hands to the next one.
struct PublisherProgress {
    /// How far each topic is published.
    var positions: [String: Int64] = [:]
    /// The topics that were reported as blocked.
    var reported: Set<String> = []
}

extension KafkaError {
    /// What an operator can do about a topic that accepts no records.
    fileprivate var remedy: String {
        if isTimestampRefused { return "correct this machine's clock or the broker's" }
        if isUnknownTopic { return "create the topic" }
        return isTopicAuthorization ? "allow this client to write to it" : "see the error"
    }
}
