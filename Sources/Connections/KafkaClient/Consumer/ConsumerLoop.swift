internal import CSagamoreRdKafka
internal import Synchronization

/// The main loop of a consumer's thread. Only that thread uses it.
final class ConsumerLoop {
    /// A batch is delivered when it reaches one of these limits, or when no more records are waiting.
    private static let batchRecords = 500
    private static let batchBytes = 4 << 20
    private static let pollInterval = Duration.milliseconds(100)
    /// How often stored offsets are verified when nothing is committed.
    private static let verificationInterval = Duration.seconds(5)
    private static let seekLimit = Duration.seconds(1)
    private static let lastCommitLimit = Duration.seconds(3)
    private static let closeLimit = Duration.seconds(4)

    private let inbox: ConsumerInbox
    private let handlers: KafkaConsumer.Handlers
    private var ledger: OffsetLedger
    private var gate = PartitionGate(recordLimit: 1000, byteLimit: 2 << 20)
    private var gaps = GapWatch(interval: .seconds(1))
    private let queries: BrokerQueries
    private var nextVerification = ContinuousClock.now
    /// Stored offsets are being queried.
    private var isVerifying = false
    /// The offsets to commit once the stored ones are verified.
    private var verified: [KafkaPartition: Int64] = [:]
    private var isFindingGap = false
    /// The partitions whose offsets were missing when the consumer was closed. librdkafka answers no such query after
    /// that.
    private var missingAtClose: [KafkaPartition]?
    private var reader = RecordReader()
    private var batch: [KafkaRecord] = []
    private var bytes = 0
    /// A handler was called. Its requests are carried out before more records are delivered.
    private var hasCalled = false

    private var client: OpaquePointer { inbox.client.pointer }

    init(_ inbox: ConsumerInbox, _ handlers: KafkaConsumer.Handlers, commitInterval: Duration) {
        self.inbox = inbox
        self.handlers = handlers
        queries = BrokerQueries(inbox)
        ledger = OffsetLedger(interval: commitInterval, backoff: .seconds(1))
    }

    func run() {
        while true {
            let requests = inbox.mailbox.drain()
            note(requests.offsets)
            if requests.isClosing { break }
            pause(requests.pauses)
            for answer in requests.answers { handle(answer) }
            verifyAndCommit()
            findGap()
            poll()
        }
        close()
    }

    // MARK: Records

    private func poll() {
        var wait = min(Self.pollInterval, ledger.interval)
        hasCalled = false
        // The number of events is limited because records of paused partitions fill no batch.
        for _ in 0..<2 * Self.batchRecords {
            guard let event = rd_kafka_queue_poll(inbox.queue, wait.milliseconds) else { break }
            handle(event)
            rd_kafka_event_destroy(event)
            wait = .zero
            if batch.count >= Self.batchRecords || bytes >= Self.batchBytes || !gate.overfull.isEmpty || hasCalled {
                break
            }
        }
        deliver()
        let overfull = gate.takeOverfull()
        if !overfull.isEmpty { _ = PartitionList.lend(overfull) { rd_kafka_pause_partitions(client, $0) } }
    }

    private func deliver() {
        guard !batch.isEmpty else { return }
        let records = batch
        batch = []
        bytes = 0
        handlers.records(records)
    }

    private func handle(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_FETCH:
            while let message = rd_kafka_event_message_next(event) {
                guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    report(message.pointee.err)
                    continue
                }
                let record = reader.read(message)
                if handlers.removed != nil {
                    gaps.read(KafkaPartition(topic: record.topic, partition: record.partition), record.offset)
                }
                let size = message.pointee.len + message.pointee.key_len
                if !gate.isOpen, gate.keep(record, bytes: size) { continue }
                bytes += size
                batch.append(record)
            }
        case RD_KAFKA_EVENT_ERROR: handleError(event)
        case RD_KAFKA_EVENT_REBALANCE: rebalance(event)
        case RD_KAFKA_EVENT_OFFSET_COMMIT: committed(event)
        default: break
        }
    }

    private func handleError(_ event: OpaquePointer) {
        let native = rd_kafka_event_error(event)
        if native == RD_KAFKA_RESP_ERR__PARTITION_EOF {
            guard let partition = rd_kafka_event_topic_partition(event) else { return }
            defer { rd_kafka_topic_partition_destroy(partition) }
            let name = KafkaPartition(partition.pointee)
            if gate.keepEnd(name, at: partition.pointee.offset) { return }
            deliver()
            hasCalled = true
            handlers.caughtUp?(name, partition.pointee.offset)
            return
        }
        let fatal = native == RD_KAFKA_RESP_ERR__FATAL ? KafkaError(fatalOf: client) : nil
        handlers.error(
            fatal ?? KafkaError(native, rd_kafka_event_error_string(event).map { String(cString: $0) })
        )
    }

    private func pause(_ requests: [KafkaPartition: Bool]) {
        for (partition, isPaused) in requests where ledger.assigned.contains(partition) {
            guard !isPaused else {
                gate.pause(partition)
                continue
            }
            let released = gate.resume(partition)
            batch = released.records
            deliver()
            if let end = released.end { handlers.caughtUp?(partition, end) }
            if released.isPausedInClient {
                _ = PartitionList.lend(CollectionOfOne(partition)) { rd_kafka_resume_partitions(client, $0) }
            }
        }
    }

    // MARK: Group

    private func rebalance(_ event: OpaquePointer) {
        let list = rd_kafka_event_topic_partition_list(event)
        let partitions = PartitionList.partitions(list)
        let isCooperative = rd_kafka_rebalance_protocol(client).map { String(cString: $0) } == "COOPERATIVE"
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            var stored: [KafkaPartition: Int64] = [:]
            if let start = handlers.start {
                PartitionList.setOffsets(of: list, start)
            } else {
                switch BrokerQueries.storedOffsets(of: partitions, inbox) {
                case .success(let offsets): stored = offsets
                case .failure(let error): report(error)
                }
            }
            if isCooperative {
                report(KafkaError(consuming: rd_kafka_incremental_assign(client, list)))
            } else {
                report(rd_kafka_assign(client, list))
            }
            // A pause during an earlier assignment of the partition must not outlive it.
            _ = rd_kafka_resume_partitions(client, list)
            ledger.assign(partitions)
            ledger.found(stored)
            if handlers.removed != nil { for (partition, offset) in stored { gaps.assign(partition, at: offset) } }
            handlers.assigned(partitions)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            giveUp(partitions, lost: rd_kafka_assignment_lost(client) != 0)
            if isCooperative {
                report(KafkaError(consuming: rd_kafka_incremental_unassign(client, list)))
            } else {
                report(rd_kafka_assign(client, nil))
            }
        case let native:
            // For any other event librdkafka requires an empty assignment.
            giveUp(Array(ledger.assigned), lost: true)
            report(rd_kafka_assign(client, nil))
            report(native)
        }
    }

    /// Drops records of these partitions that were not delivered; the next owner reads them again.
    private func giveUp(_ partitions: [KafkaPartition], lost: Bool) {
        discardBatch(of: partitions)
        handlers.revoked(partitions, lost)
        note(inbox.mailbox.drainOffsets())
        if !lost {
            var offsets = ledger.unsettled(of: partitions)
            if !offsets.isEmpty {
                for partition in missingAtClose ?? missingOffsets() { offsets[partition] = nil }
            }
            commitAndWait(offsets)
        }
        ledger.revoke(partitions)
        gate.revoke(partitions)
        for partition in partitions { gaps.revoke(partition) }
    }

    private func discardBatch(of partitions: [KafkaPartition]) {
        let leaving = Set(partitions)
        batch.removeAll { leaving.contains(KafkaPartition(topic: $0.topic, partition: $0.partition)) }
        if batch.isEmpty { bytes = 0 }
    }

    private func report(_ error: KafkaError?) {
        if let error { handlers.error(error) }
    }

    private func report(_ native: rd_kafka_resp_err_t) {
        if native != RD_KAFKA_RESP_ERR_NO_ERROR { handlers.error(KafkaError(native)) }
    }

    // MARK: Offsets

    private func note(_ offsets: ConsumerMailbox.Offsets) {
        if !offsets.restarted.isEmpty { ledger.restart(offsets.restarted) }
        ledger.want(offsets.next)
    }

    /// Takes the offsets that are due, and verifies that those committed before are still stored. If they are not, the
    /// topic was deleted in the meantime, and its new records were read from a position in the old ones.
    private func verifyAndCommit() {
        let now = ContinuousClock.now
        guard !isVerifying, ledger.isDue(now: now) || now >= nextVerification else { return }
        nextVerification = now + Self.verificationInterval
        let offsets = ledger.take(now: now)
        let verifiable = ledger.verifiable
        guard !verifiable.isEmpty else { return commit(offsets) }
        isVerifying = true
        verified = offsets
        queries.send(.storedOffsets(verifiable))
    }

    private func handle(_ answer: BrokerQueries.Answer) {
        switch answer {
        case .firstOffset(let partition, let first):
            isFindingGap = false
            guard case .success(let first) = first else { return }
            if let range = gaps.answered(partition, first: first) { handlers.removed?(partition, range) }
        case .storedOffsets(let asked, let answer):
            isVerifying = false
            let offsets = ledger.inFlight(verified)
            switch answer {
            case .failure(let error):
                report(error)
                ledger.answered(offsets, refused: Set(offsets.keys), now: .now)
            case .success(let stored):
                let missing = ledger.missing(from: stored, of: asked)
                if !missing.isEmpty, !readFromBeginning(missing) {
                    return ledger.answered(offsets, refused: Set(offsets.keys), now: .now)
                }
                commit(ledger.inFlight(offsets))
            }
        }
    }

    /// Queries the first offset of a partition of which offsets were skipped.
    private func findGap() {
        guard !isFindingGap, handlers.removed != nil, let partition = gaps.query(at: .now) else { return }
        isFindingGap = true
        queries.send(.firstOffset(partition))
    }

    /// The partitions whose committed offsets the broker does not hold any more. Waits for the broker.
    private func missingOffsets() -> [KafkaPartition] {
        let verifiable = ledger.verifiable
        guard !verifiable.isEmpty else { return [] }
        let stored = BrokerQueries.storedOffsets(of: verifiable, inbox)
        return (try? stored.get()).map { ledger.missing(from: $0, of: verifiable) } ?? []
    }

    /// - Returns: whether the partitions are read from their beginning from now on.
    private func readFromBeginning(_ partitions: [KafkaPartition]) -> Bool {
        let beginning = Int64(RD_KAFKA_OFFSET_BEGINNING)
        let failure = PartitionList.lend(partitions.map { ($0, beginning) }) { list in
            KafkaError(consuming: rd_kafka_seek_partitions(client, list, Self.seekLimit.milliseconds))
                ?? PartitionList.entries(list).first { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map { KafkaError($0.err) }
        }
        report(failure)
        guard failure == nil else { return false }
        discardBatch(of: partitions)
        gate.discard(partitions)
        for partition in partitions { gaps.revoke(partition) }
        ledger.restart(Set(partitions))
        handlers.restarted(partitions)
        return true
    }

    private func commit(_ offsets: [KafkaPartition: Int64]) {
        guard !offsets.isEmpty else { return }
        // Without this queue the answer would go to the client's own, which is never polled.
        let failure = PartitionList.lend(offsets.map { ($0.key, $0.value) }) {
            rd_kafka_commit_queue(client, $0, inbox.queue, nil, nil)
        }
        guard failure != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        ledger.answered(offsets, refused: Set(offsets.keys), now: .now)
        report(failure)
    }

    private func committed(_ event: OpaquePointer) {
        let entries = PartitionList.entries(rd_kafka_event_topic_partition_list(event))
        let whole = rd_kafka_event_error(event)
        let isRefused = whole != RD_KAFKA_RESP_ERR_NO_ERROR && whole != RD_KAFKA_RESP_ERR__NO_OFFSET
        let refused = entries.filter { isRefused || $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }
        let offsets = entries.map { (KafkaPartition($0), $0.offset) }
        ledger.answered(
            Dictionary(offsets) { max($0, $1) },
            refused: Set(refused.map(KafkaPartition.init)),
            now: .now
        )
        if isRefused { report(whole) } else if let first = refused.first { report(first.err) }
    }

    /// The last commit before partitions are given up. A queue of its own ensures that no other event is handled
    /// meanwhile.
    private func commitAndWait(_ offsets: [KafkaPartition: Int64]) {
        guard !offsets.isEmpty, let queue = rd_kafka_queue_new(client) else { return }
        defer { rd_kafka_queue_destroy(queue) }
        let failure = PartitionList.lend(offsets.map { ($0.key, $0.value) }) {
            rd_kafka_commit_queue(client, $0, queue, nil, nil)
        }
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else { return report(failure) }
        guard let event = rd_kafka_queue_poll(queue, Self.lastCommitLimit.milliseconds) else {
            return report(RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        let answer = rd_kafka_event_error(event)
        if answer != RD_KAFKA_RESP_ERR__NO_OFFSET { report(answer) }
        rd_kafka_event_destroy(event)
    }

    // MARK: End

    /// Closes the consumer before the client is released, as librdkafka requires. After the time limit the client is
    /// destroyed without closing.
    private func close() {
        batch = []
        queries.stop()
        missingAtClose = missingOffsets()
        guard let queue = rd_kafka_queue_new(client) else { return }
        defer { rd_kafka_queue_destroy(queue) }
        if let error = KafkaError(consuming: rd_kafka_consumer_close_queue(client, queue)) { report(error) }
        let deadline = ContinuousClock.now + Self.closeLimit
        while rd_kafka_consumer_closed(client) == 0 {
            if ContinuousClock.now >= deadline {
                inbox.client.destroyFlags.store(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, ordering: .relaxed)
                return
            }
            guard let event = rd_kafka_queue_poll(queue, Self.pollInterval.milliseconds) else { continue }
            if rd_kafka_event_type(event) != RD_KAFKA_EVENT_FETCH { handle(event) }
            rd_kafka_event_destroy(event)
        }
    }
}
