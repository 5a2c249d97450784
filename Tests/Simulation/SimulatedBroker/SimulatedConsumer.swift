internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreKafkaFront
internal import SagamoreSimulatedTime

/// A member of a consumer group, made of steps: it does what `KafkaConsumer` does on its thread.
///
/// Unchecked: the whole world runs in one thread.
final class SimulatedConsumer: PartitionControl, @unchecked Sendable {
    typealias Time = ContinuousClock.Instant

    /// Where it runs.
    struct Host {
        let connection: BrokerConnection
        let now: () -> Time
        /// Chooses how many records a fetch returns.
        let chance: (ClosedRange<Int>) -> Int
    }

    private static let heartbeatInterval = Duration.seconds(1)
    private static let joinInterval = Duration.milliseconds(200)
    private static let verificationInterval = Duration.seconds(5)
    private static let queryLimit = Duration.seconds(1)
    private static let batchRecords = 500

    private let host: Host
    private let group: String
    private let topics: [String]
    private let handlers: KafkaConsumer.Handlers
    /// Called when a step is due at once.
    var ring: () -> Void = {}

    private var member: String
    private var generation = 0
    private var assigned: [KafkaPartition] = []
    private var positions: [KafkaPartition: Int64] = [:]
    private var paused: Set<KafkaPartition> = []
    private var notBefore: [KafkaPartition: Time] = [:]
    private var turn = 0
    private var ledger = OffsetLedger(interval: .milliseconds(100), backoff: .seconds(1))
    private var gaps = GapWatch(interval: .seconds(1))
    private var nextHeartbeat: Time
    private var nextVerification: Time
    private var restarted: Set<KafkaPartition> = []
    private var wanted: [KafkaPartition: Int64] = [:]
    private var isVerifying = false
    /// Answers of the broker, which are handled in the next step.
    private var answers: [() -> Void] = []
    private var hasFailed = false
    private(set) var isClosed = false

    private var broker: SimulatedBroker { host.connection.broker }

    init(_ host: Host, group: String, topics: [String], handlers: KafkaConsumer.Handlers) {
        self.host = host
        self.group = group
        self.topics = topics
        self.handlers = handlers
        member = "member-\(host.connection.broker.nextNumber())"
        nextHeartbeat = host.now()
        nextVerification = host.now()
        host.connection.broker.joinGroup(group, member, topics: topics)
    }

    // MARK: Requests

    func pause(_ partitions: some Sequence<KafkaPartition>) { paused.formUnion(partitions) }

    func resume(_ partitions: some Sequence<KafkaPartition>) {
        paused.subtract(partitions)
        ring()
    }

    func commit(_ offsets: [KafkaPartition: Int64]) {
        let isFirst = wanted.isEmpty
        wanted.merge(offsets) { max($0, $1) }
        if isFirst { ring() }
    }

    func endOffset(of partition: KafkaPartition) -> Int64? { nil }

    func forgetOffsets(of partitions: some Sequence<KafkaPartition>) {
        for partition in partitions {
            restarted.insert(partition)
            wanted[partition] = nil
        }
    }

    func close() {
        guard host.connection.isAlive(), !isClosed else { return }
        isClosed = true
        guard !hasFailed else { return }
        giveUp(lost: false)
        if isReachable(.heartbeat(group: group)) { broker.leaveGroup(group, member) }
    }

    // MARK: Steps

    func step() -> Wake? {
        guard !isClosed, !hasFailed else { return nil }
        let due = answers
        answers = []
        for answer in due { answer() }
        note()
        let now = host.now()
        if now >= nextHeartbeat { heartbeat(now) }
        guard !hasFailed else { return nil }
        verifyAndCommit(host.now())
        findGap()
        if fetch() { return .now }
        return answers.isEmpty ? .ring(orAt: nextStep(now)) : .now
    }

    private func nextStep(_ now: Time) -> Time {
        var next = nextHeartbeat
        if !ledger.unsettled(of: assigned).isEmpty { next = min(next, now + ledger.interval) }
        for time in notBefore.values where time > now { next = min(next, time) }
        return next
    }

    /// Asks for a fault of an operation; false when it does not reach the broker.
    private func isReachable(_ kind: BrokerOperation.Kind) -> Bool {
        switch host.connection.fault(member, kind) {
        case .unreachable, .unanswered, .retriable: return false
        case .none, .slow, .requiresAbort, .fenced, .fatal, .refused: return true
        }
    }

    private func note() {
        if !restarted.isEmpty { ledger.restart(restarted) }
        restarted = []
        ledger.want(wanted)
        wanted = [:]
    }

    // MARK: Group

    private func heartbeat(_ now: Time) {
        nextHeartbeat = now + Self.heartbeatInterval
        switch host.connection.fault(member, .heartbeat(group: group)) {
        case .none, .slow, .refused, .requiresAbort: break
        case .unreachable, .unanswered, .retriable: return handlers.error(BrokerError.allBrokersDown)
        case .fenced: broker.leaveGroup(group, member)
        case .fatal:
            hasFailed = true
            return handlers.error(BrokerError.fatal)
        }
        switch broker.heartbeat(group, member) {
        case .stable: break
        case .waiting: nextHeartbeat = now + Self.joinInterval
        case .rebalancing:
            giveUp(lost: false)
            broker.joinGroup(group, member, topics: topics)
            nextHeartbeat = now
        case .unknown:
            giveUp(lost: true)
            member = "member-\(broker.nextNumber())"
            broker.joinGroup(group, member, topics: topics)
            nextHeartbeat = now
        case .assigned(let partitions, let generation): take(partitions, generation)
        }
    }

    private func take(_ partitions: [KafkaPartition], _ generation: Int) {
        self.generation = generation
        assigned = partitions
        var stored: [KafkaPartition: Int64] = [:]
        if isReachable(.storedOffsets(group: group)) {
            stored = storedOffsets(partitions)
        } else {
            handlers.error(BrokerError.timedOut)
        }
        for partition in partitions {
            positions[partition] =
                broker.committedOffset(group: group, partition)?.offset
                ?? broker.log(partition)?.first ?? 0
        }
        paused.subtract(partitions)
        ledger.assign(partitions)
        ledger.found(stored)
        if handlers.removed != nil {
            for partition in partitions {
                if let offset = stored[partition] { gaps.assign(partition, at: offset) }
            }
        }
        handlers.assigned(partitions)
    }

    private func storedOffsets(_ partitions: [KafkaPartition]) -> [KafkaPartition: Int64] {
        var stored: [KafkaPartition: Int64] = [:]
        for partition in partitions { stored[partition] = broker.committedOffset(group: group, partition)?.offset }
        return stored
    }

    private func giveUp(lost: Bool) {
        guard !assigned.isEmpty else { return }
        let partitions = assigned
        handlers.revoked(partitions, lost)
        note()
        if !lost {
            var offsets = ledger.unsettled(of: partitions)
            let missing = ledger.missing(from: storedOffsets(partitions), of: ledger.verifiable.sorted())
            for partition in missing { offsets[partition] = nil }
            if !offsets.isEmpty, isReachable(.commitOffsets(group: group)) {
                try? broker.commitOffsets(group, member, generation: generation, offsets)
            }
        }
        ledger.revoke(partitions)
        for partition in partitions {
            gaps.revoke(partition)
            positions[partition] = nil
            notBefore[partition] = nil
        }
        paused.subtract(partitions)
        assigned = []
        answers = []
        isVerifying = false
    }

    // MARK: Offsets

    private func verifyAndCommit(_ now: Time) {
        guard !isVerifying, ledger.isDue(now: now) || now >= nextVerification else { return }
        nextVerification = now + Self.verificationInterval
        let offsets = ledger.take(now: now)
        let verifiable = ledger.verifiable.sorted()
        guard !verifiable.isEmpty else { return send(offsets) }
        isVerifying = true
        guard isReachable(.storedOffsets(group: group)) else {
            answers.append { [unowned self] in refuse(offsets, BrokerError.timedOut) }
            return
        }
        let stored = storedOffsets(verifiable)
        answers.append { [unowned self] in verified(offsets, stored, verifiable) }
    }

    private func refuse(_ offsets: [KafkaPartition: Int64], _ error: KafkaError) {
        isVerifying = false
        handlers.error(error)
        ledger.answered(offsets, refused: Set(offsets.keys), now: host.now())
    }

    private func verified(
        _ offsets: [KafkaPartition: Int64],
        _ stored: [KafkaPartition: Int64],
        _ asked: [KafkaPartition]
    ) {
        isVerifying = false
        let offsets = ledger.inFlight(offsets)
        let missing = ledger.missing(from: stored, of: asked)
        guard missing.allSatisfy({ broker.log($0) != nil }) else { return refuse(offsets, BrokerError.unknownTopic) }
        if !missing.isEmpty { readFromBeginning(missing) }
        send(ledger.inFlight(offsets))
    }

    private func readFromBeginning(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            positions[partition] = broker.log(partition)?.first ?? 0
            gaps.revoke(partition)
        }
        ledger.restart(Set(partitions))
        handlers.restarted(partitions)
    }

    private func send(_ offsets: [KafkaPartition: Int64]) {
        guard !offsets.isEmpty else { return }
        func answer(_ error: KafkaError?) {
            answers.append { [unowned self] in
                let refused = error == nil ? [] : Set(offsets.keys)
                ledger.answered(offsets, refused: refused, now: host.now())
                if let error { handlers.error(error) }
            }
        }
        func commit() -> KafkaError? {
            do throws(KafkaError) {
                try broker.commitOffsets(group, member, generation: generation, offsets)
                return nil
            } catch {
                return error
            }
        }
        switch host.connection.fault(member, .commitOffsets(group: group)) {
        case .none, .slow, .requiresAbort, .fenced, .fatal, .refused: answer(commit())
        case .unanswered(isDone: true):
            _ = commit()
            answer(BrokerError.transport)
        case .unanswered(isDone: false), .unreachable: answer(BrokerError.transport)
        case .retriable: answer(BrokerError.coordinatorLoading)
        }
    }

    /// Asks for the first offset of a partition of which offsets were skipped.
    private func findGap() {
        guard handlers.removed != nil, let partition = gaps.query(at: host.now()) else { return }
        guard isReachable(.firstOffset(partition)), let first = broker.log(partition)?.first else { return }
        answers.append { [unowned self] in
            if let range = gaps.answered(partition, first: first) { handlers.removed?(partition, range) }
        }
    }

    // MARK: Records

    /// Fetches from the next partition that has something.
    ///
    /// - Returns: whether there was something.
    private func fetch() -> Bool {
        let now = host.now()
        for index in assigned.indices {
            let partition = assigned[(turn + index) % assigned.count]
            guard !paused.contains(partition), notBefore[partition].map({ $0 <= now }) ?? true else { continue }
            guard fetch(partition, now) else { continue }
            turn = (turn + index + 1) % max(assigned.count, 1)
            return true
        }
        return false
    }

    private func fetch(_ partition: KafkaPartition, _ now: Time) -> Bool {
        guard let log = broker.log(partition), var position = positions[partition] else {
            notBefore[partition] = now + .seconds(1)
            handlers.error(BrokerError.unknownTopic)
            return false
        }
        if position > log.end || position < log.first { position = log.first }
        let (records, next) = log.read(from: position, limit: host.chance(1...Self.batchRecords))
        guard !records.isEmpty else {
            positions[partition] = next
            return false
        }
        switch host.connection.fault(member, .fetch(partition)) {
        case .none, .requiresAbort, .fenced, .fatal: break
        case .slow(let interval):
            notBefore[partition] = now + .nanoseconds(interval.nanoseconds)
            return false
        case .unreachable, .unanswered, .retriable:
            notBefore[partition] = now + .milliseconds(100)
            return false
        case .refused(let refusal):
            notBefore[partition] = now + .milliseconds(500)
            handlers.error(BrokerError.refused(refusal))
            return false
        }
        positions[partition] = next
        if handlers.removed != nil { for record in records { gaps.read(partition, record.offset) } }
        handlers.records(records)
        return true
    }
}
