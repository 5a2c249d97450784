internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// A shard's producer, from its start until it is replaced, and the state of its topics. Used by the publisher's loop.
///
/// It publishes in *rounds*: one batch of all topics that are read together, and one of each lagging topic. The agenda
/// is what is left of a round.
final class PublisherSession {
    /// A part of a round.
    private enum Task {
        /// Finds out whether a blocked topic can be written again.
        case retry(String)
        /// Reads what is next of all topics that are read together.
        case readJoined
        /// Reads the cursor of a topic.
        case addTopic(String)
        /// Finds out whether a new topic exists.
        case checkTopic(String)
        /// Publishes what was read of all topics that are read together.
        case publishJoined([OutboxRow])
        /// The topics that are read together are published up to the last of these rows.
        case endJoined([OutboxRow])
        /// Reads what is next of a lagging topic and publishes it.
        case publishLagging(String)
        /// Publishes a batch, after earlier attempts.
        case publish(OutboxBatch, Backoff)
        case transaction(OutboxTransaction, Backoff)
    }

    private let context: PublisherContext
    private let store: any OutboxStore
    private let producer: any TransactionalProducer
    /// The shard's row when the session began.
    private let standing: ShardStanding
    /// How far topics were published when the session began, as far as this process and the database know.
    private let knownPositions: [String: Int64]
    private var topics: TopicTable
    private var hasReportedLoss: Bool
    /// Aborted transactions in a row after which the producer is replaced.
    private static let attemptLimit = 8
    private var cleaner: OutboxCleaner
    /// What is left of the round. The last task is the next.
    private var agenda: [Task] = []
    /// Whether the round has found that there may be more to publish.
    private(set) var hasMore = false

    init(
        _ context: PublisherContext,
        _ producer: any TransactionalProducer,
        _ store: any OutboxStore,
        standing: ShardStanding,
        progress: PublisherProgress
    ) {
        self.context = context
        self.producer = producer
        self.store = store
        self.standing = standing
        knownPositions = progress.positions
        hasReportedLoss = progress.hasReportedLoss
        topics = TopicTable(reported: progress.reported, chance: context.environment.chance)
        cleaner = OutboxCleaner(shard: context.shard, rowLimit: context.settings.deletionRows)
    }

    private var shard: Int32 { context.shard }
    private var settings: PublisherSettings { context.settings }
    private var log: Logger { context.log }

    static func query<Value>(_ body: () throws(CommitError) -> Value) throws(PublisherError) -> Value {
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
            reported: topics.reported,
            hasReportedLoss: hasReportedLoss
        )
    }

    /// How long the loop may rest without a ring.
    var restLimit: Duration {
        let now = context.now
        return min(settings.slowPoll, topics.nextDue.map { max($0 - now, .milliseconds(10)) } ?? settings.slowPoll)
    }

    /// Whether something is left of a round.
    var isInRound: Bool { !agenda.isEmpty }

    /// Begins a round.
    func beginRound() {
        hasMore = false
        agenda = [.readJoined] + topics.due(context.now).reversed().map(Task.retry)
    }

    /// The connection to the database was lost: gives up what is left of a round.
    func connectionWasLost() {
        agenda = []
        cleaner.connectionWasLost()
    }

    /// Makes the next step of a round.
    ///
    /// - Returns: when the next one is due.
    func step() throws(PublisherError) -> Wake {
        guard let task = agenda.popLast() else { return .now }
        switch task {
        case .retry(let topic): retry(topic)
        case .readJoined: try readJoined()
        case .addTopic(let topic): try addTopic(topic)
        case .checkTopic(let topic): if let error = obstacle(topic) { block(topic, error) }
        case .publishJoined(let rows): try publishJoined(rows)
        case .endJoined(let rows): endJoined(rows)
        case .publishLagging(let topic): try publishLagging(topic)
        case .publish(let batch, let backoff): try begin(batch, backoff)
        case .transaction(let transaction, let backoff): return try proceed(transaction, backoff)
        }
        return .now
    }

    private func readJoined() throws(PublisherError) {
        let rows = try read(.allBut(topics.separate), after: topics.scanned)
        guard !rows.isEmpty else { return endJoined(rows) }
        agenda.append(.endJoined(rows))
        agenda.append(.publishJoined(rows))
        var last: String?
        var new: [String] = []
        for row in rows where row.record.topic != last {
            let topic = row.record.topic
            last = topic
            if !topics.isKnown(topic), !new.contains(topic) { new.append(topic) }
        }
        for topic in new.reversed() { agenda.append(.addTopic(topic)) }
    }

    private func publishJoined(_ rows: [OutboxRow]) throws(PublisherError) {
        let free = try leaveOutWaiting(rows)
        if free.count < rows.count {
            let sequences = Set(free.map(\.sequence))
            for row in rows where !sequences.contains(row.sequence) { topics.readSeparately(row.record.topic) }
        }
        try publish(free.filter { topics.isJoined($0.record.topic) && isUnpublished($0) })
    }

    private func endJoined(_ rows: [OutboxRow]) {
        if let last = rows.last { topics.scanned(to: last.sequence) }
        hasMore = rows.count == settings.batchRows || byteCount(rows) >= settings.batchBytes
        for topic in topics.lagging.reversed() { agenda.append(.publishLagging(topic)) }
    }

    private func publishLagging(_ topic: String) throws(PublisherError) {
        let rows = try read(.only(topic), after: topics.position(topic))
        let free = try leaveOutWaiting(rows)
        if rows.isEmpty { topics.caughtUp(topic) } else if !free.isEmpty { hasMore = true }
        try publish(free)
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

    /// Reads a topic's cursor; repeated while no broker answers.
    private func addTopic(_ topic: String) throws(PublisherError) {
        let cursor: KafkaAdmin.CommittedOffset?
        do throws(KafkaError) {
            cursor = try context.admin.committedOffset(
                group: settings.cursorGroup(topic: topic),
                settings.cursor(shard: shard),
                timeout: settings.callLimit
            )
        } catch {
            if context.isStopped { throw .stopped }
            guard error.isRetriable || error.isTimeout else { throw .kafka(error) }
            context.reachability.lost(error.description)
            return agenda.append(.addTopic(topic))
        }
        if let cursor { try check(cursor, topic) }
        topics.add(topic, position: max(cursor?.offset ?? 0, knownPositions[topic] ?? 0))
        agenda.append(.checkTopic(topic))
    }

    private func check(_ cursor: KafkaAdmin.CommittedOffset, _ topic: String) throws(PublisherError) {
        if !cursor.metadata.isEmpty, cursor.metadata != settings.installationID {
            throw .inconsistent("the cursor of \(topic) in Kafka belongs to another installation")
        }
        let last = standing.outboxSequence
        if cursor.offset > last {
            throw .inconsistent(
                "the cursor of \(topic) in Kafka is \(cursor.offset) but the database's last record is \(last):"
                    + " the database was restored to an earlier state, and its clock is behind what it was"
            )
        }
        if let leftOut = standing.leftOut, leftOut.contains(cursor.offset), !hasReportedLoss {
            hasReportedLoss = true
            log.critical(
                "the database was restored to an earlier state; events go on, but commands that it has lost are carried"
                    + " out again only if you rewind (docs/OPERATIONS.md, 'Backup and restore')",
                metadata: [
                    "shard": "\(shard)", "topic": "\(topic)", "last_record": "\(leftOut.lowerBound - 1)",
                    "last_published": "\(cursor.offset)",
                ]
            )
            context.environment.metrics.foundLoss(shard: shard)
        }
    }

    /// Why a topic cannot be written; nil when nothing is known against it.
    private func obstacle(_ topic: String) -> KafkaError? {
        do throws(KafkaError) {
            if case .failure(let error)? = try context.admin.partitionCounts([topic], timeout: .seconds(5))[topic] {
                return error
            }
            return nil
        } catch {
            return error
        }
    }

    private func block(_ topic: String, _ error: KafkaError) {
        guard topics.block(topic, at: context.now) else { return }
        log.error(
            "events cannot be written to their topic and wait: \(error.remedy)",
            metadata: ["topic": "\(topic)", "shard": "\(shard)", "error": "\(error)"]
        )
    }

    private func retry(_ topic: String) {
        if let error = obstacle(topic) {
            block(topic, error)
        } else {
            // Only the next transaction shows whether it accepts records.
            topics.unblock(topic)
        }
    }

    // MARK: Transactions

    /// Publishes rows next, in as many transactions as it takes.
    private func publish(_ rows: [OutboxRow]) throws(PublisherError) {
        try begin(OutboxBatch(rows), Backoff(first: .milliseconds(20), longest: .seconds(2)))
    }

    private func begin(_ batch: OutboxBatch, _ backoff: Backoff) throws(PublisherError) {
        guard !batch.rows.isEmpty else { return }
        if context.isStopped { throw .stopped }
        agenda.append(.transaction(OutboxTransaction(batch, producer: producer, context: context), backoff))
    }

    private func proceed(_ transaction: OutboxTransaction, _ backoff: Backoff) throws(PublisherError) -> Wake {
        var transaction = transaction
        switch try transaction.step() {
        case .continues(let wake):
            agenda.append(.transaction(transaction, backoff))
            return wake
        case .ended(let outcome): return try ended(outcome, transaction.batch, backoff)
        }
    }

    private func ended(
        _ outcome: OutboxTransaction.Outcome,
        _ batch: OutboxBatch,
        _ backoff: Backoff
    ) throws(PublisherError) -> Wake {
        var (batch, backoff) = (batch, backoff)
        switch outcome {
        case .committed:
            context.reachability.found()
            let topics = batch.rows.compactMap { batch.record(of: $0)?.topic }
            for (topic, records) in Dictionary(grouping: topics, by: { $0 }) {
                context.environment.metrics.published(records.count, topic: topic)
            }
            confirm(batch.cursors)
            return .now
        case .refused(let suspects):
            // Each refusal removes or shrinks a suspect, so the number of refusals is bounded.
            backoff.reset()
            for dead in batch.refuse(suspects) { try moveToDeadEvents(dead) }
        case .blocked(let blocked):
            backoff.reset()
            for (topic, error) in blocked.sorted(by: { $0.key < $1.key }) { block(topic, error) }
            batch.remove(blocked.keys)
        case .unclear(let error):
            publishTopicsSeparately(batch, error)
            return .now
        case .retriable(let error):
            let delay = backoff.next(context.environment.chance)
            guard backoff.attempts < Self.attemptLimit else { throw .kafka(error) }
            if error.isUnreachable || error.isTimeout { context.reachability.lost(error.description) }
            log.debug("a transaction was aborted, retrying", metadata: ["error": "\(error)"])
            agenda.append(.publish(batch, backoff))
            return .at(context.now + delay)
        }
        agenda.append(.publish(batch, backoff))
        return .now
    }

    private func confirm(_ cursors: [String: Int64]) {
        for topic in topics.published(cursors) {
            log.info("the events of a topic are published again", metadata: ["topic": "\(topic)", "shard": "\(shard)"])
        }
    }

    private func moveToDeadEvents(_ dead: OutboxBatch.DeadRow) throws(PublisherError) {
        let error = dead.error.description
        try Self.query { () throws(CommitError) in try store.insertDeadEvent(dead.row, shard: shard, error: error) }
        log.error(
            "the broker rejected a record for good; it was moved to dead_events",
            metadata: [
                "topic": "\(dead.row.record.topic)", "shard": "\(shard)", "sequence": "\(dead.row.sequence)",
                "error": "\(error)",
            ]
        )
    }

    /// Finds the topic that makes the transaction fail.
    private func publishTopicsSeparately(_ batch: OutboxBatch, _ error: KafkaError) {
        let names = batch.topics
        if names.count == 1 { return block(names[0], error) }
        for name in names.reversed() {
            let part = OutboxBatch(batch.rows.filter { $0.record.topic == name })
            agenda.append(.publish(part, Backoff(first: .milliseconds(20), longest: .seconds(2))))
        }
    }
}

/// What a session hands to the next one.
struct PublisherProgress {
    /// How far each topic is published.
    var positions: [String: Int64] = [:]
    /// The topics that were reported as blocked.
    var reported: Set<String> = []
    /// Whether it was reported that Kafka has records that the database has lost.
    var hasReportedLoss = false
}

extension KafkaError {
    /// What an operator can do about a topic that accepts no records.
    fileprivate var remedy: String {
        if isTimestampRefused { return "correct this machine's clock or the broker's" }
        if isUnknownTopic { return "create the topic" }
        return isTopicAuthorization ? "allow this client to write to it" : "see the error"
    }
}
