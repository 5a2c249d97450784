internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamoreServices
internal import SagamoreThreads
internal import Synchronization

/// Reads the command topics of all routes and submits each record to history, those of a partition in order. A
/// partition's committed offset is that of its first record that is not durable.
///
/// The consumer's thread reads records and keeps them. One loop submits them, while the window of their shard has
/// room: so a partition's order needs no lock across a submission. Answers come on any thread.
final class CommandConsumer: Sendable {
    private let readers: [String: CommandReader]
    let history: any HistoryClient
    private let limits: ConsumerLimits
    private let clock: @Sendable () -> Instant
    private let reachability: Reachability
    let log: Logger
    private let kafka: KafkaConfiguration
    private let group: String

    let partitions = Locked(PartitionTable())
    /// The weight of all records in memory.
    private let total = Atomic(0)
    /// A partition is paused and resumed under its own lock, under which that was decided. Otherwise an older decision
    /// could be carried out after a newer one, and last.
    let consumer = Locked<(any PartitionControl)?>(nil)
    private let loggedErrors = Locked<Set<String>>([])
    let isBroken = Atomic(false)

    let shard: @Sendable (WorkflowKey) -> Int
    let window: Locked<SubmissionWindow>
    let environment: FrontEnvironment
    let submitter: any DrivenLoop
    /// When a consumer that could not be created is created again. Used by the submitter.
    private let nextReplacement = Locked<ContinuousClock.Instant?>(nil)
    /// Partitions that had a turn, so that none is always the last.
    let turnsTaken = Atomic(0)

    /// - Parameters:
    ///   - shard: the shard of a workflow. It changes when slices move.
    ///   - environment: what the front takes from outside.
    init(
        kafka: KafkaConfiguration,
        group: String,
        readers: [CommandReader],
        history: any HistoryClient,
        limits: ConsumerLimits,
        shard: @escaping @Sendable (WorkflowKey) -> Int,
        clock: @escaping @Sendable () -> Instant,
        reachability: Reachability,
        environment: FrontEnvironment = .system,
        log: Logger
    ) {
        self.environment = environment
        submitter = environment.loops.loop(.submitter)
        self.kafka = kafka
        self.group = group
        self.readers = Dictionary(readers.map { ($0.route.commandTopic, $0) }) { first, _ in first }
        self.history = history
        self.limits = limits
        self.shard = shard
        window = Locked(SubmissionWindow(limit: limits.perShard))
        self.clock = clock
        self.reachability = reachability
        self.log = log
    }

    /// Joins the group.
    ///
    /// - Throws: when a property of the configuration is not valid.
    func start() throws(KafkaError) {
        try open()
        submitter.start { { self.submitterStep() } }
    }

    private func open() throws(KafkaError) {
        let handlers = KafkaConsumer.Handlers(
            records: { [weak self] in self?.receive($0) },
            assigned: { [weak self] in self?.assigned($0) },
            revoked: { [weak self] partitions, _ in self?.revoked(partitions) },
            restarted: { [weak self] in self?.restarted($0) },
            removed: { [weak self] in self?.removed($0, $1) },
            error: { [weak self] in self?.failed($0) }
        )
        var configuration = kafka
        // The broker answers a fetch as soon as it has a record, or after this time.
        configuration.properties.merge(["fetch.wait.max.ms": "50"]) { given, _ in given }
        let opened = try environment.clients.consumer(
            configuration,
            group: group,
            topics: readers.keys.sorted(),
            handlers: handlers
        )
        consumer.withLock { $0 = opened }
    }

    /// How many records of each partition are not durable yet, as far as is known.
    func lag() -> [(partition: KafkaPartition, records: Int64)] {
        guard let consumer = consumer.withLock({ $0 }) else { return [] }
        return partitions.withLock { $0.inOrder }.compactMap { partition in
            guard let next = partition.state.withLock({ $0.flow.committable }),
                let end = consumer.endOffset(of: partition.partition)
            else { return nil }
            return (partition.partition, max(0, end - next))
        }
    }

    /// Commits what is durable and leaves the group.
    func stop() {
        submitter.stop()
        submitter.join()
        close()
    }

    private func close() {
        let old = consumer.withLock { consumer in
            defer { consumer = nil }
            return consumer
        }
        old?.close()
    }

    private func withConsumer(_ body: (any PartitionControl) -> Void) {
        if let consumer = consumer.withLock({ $0 }) { body(consumer) }
    }

    // MARK: On the consumer's thread

    func assigned(_ assigned: [KafkaPartition]) {
        partitions.withLock { partitions in
            for partition in assigned {
                guard let reader = readers[partition.topic] else { continue }
                partitions.insert(CommandPartition(partition, reader, environment.chance))
            }
        }
        let topics = Set(assigned.map(\.topic))
        loggedErrors.withLock { logged in logged = logged.filter { text in !topics.contains { text.contains($0) } } }
        if !assigned.isEmpty { reachability.found() }
    }

    private func revoked(_ revoked: [KafkaPartition]) {
        for partition in revoked {
            guard let partition = partitions.withLock({ $0.remove(partition) }) else { continue }
            let weight = partition.state.withLock { state in
                state.isRevoked = true
                return state.flow.weight
            }
            release(weight)
        }
    }

    func receive(_ records: [KafkaRecord]) {
        reachability.found()
        let now = clock()
        var partition: CommandPartition?
        for record in records {
            let name = KafkaPartition(topic: record.topic, partition: record.partition)
            if partition?.partition != name { partition = partitions.withLock { $0[name] } }
            if let old = partition, !old.state.withLock({ $0.flow.continues(at: record.offset) }) {
                partition = restart(old)
            }
            guard let partition else { continue }
            let item = partition.item(for: record, at: now)
            let weight = CommandPartition.weight(of: record)
            total.add(weight, ordering: .relaxed)
            partition.state.withLock { state in
                // Nothing below the first record is open. An offset that is committed disappears with the topic.
                if state.flow.committable == nil { withConsumer { $0.commit([name: record.offset]) } }
                state.flow.receive(record.offset, item, weight: weight)
                if state.flow.weight >= limits.perPartition { pause(partition, &state) }
            }
        }
        submitter.ring()
        if total.load(ordering: .relaxed) >= limits.inAll { pauseAll() }
    }

    private func restarted(_ restarted: [KafkaPartition]) {
        for partition in restarted {
            guard let old = partitions.withLock({ $0[partition] }) else { continue }
            _ = restart(old)
        }
    }

    private func removed(_ partition: KafkaPartition, _ offsets: Range<Int64>) {
        log.warning(
            "commands were removed from their topic before they were read; check its retention",
            metadata: [
                "topic": "\(partition.topic)", "partition": "\(partition.partition)",
                "from": "\(offsets.lowerBound)", "to": "\(offsets.upperBound - 1)",
            ]
        )
    }

    /// A partition's offsets went back: its topic was deleted and created again, or its log was truncated. As after a
    /// new assignment, answers to earlier records are ignored.
    private func restart(_ old: CommandPartition) -> CommandPartition {
        log.warning("the offsets of a partition restarted", metadata: ["partition": "\(old.partition)"])
        let new = CommandPartition(old.partition, old.reader, environment.chance)
        let weight = old.state.withLock { state in
            state.isRevoked = true
            withConsumer { consumer in
                consumer.forgetOffsets(of: CollectionOfOne(old.partition))
                if state.isPaused { consumer.resume(CollectionOfOne(old.partition)) }
            }
            return state.flow.weight
        }
        partitions.withLock { $0.insert(new) }
        release(weight)
        return new
    }

    private func pauseAll() {
        for partition in partitions.withLock({ $0.inOrder }) {
            partition.state.withLock { state in pause(partition, &state) }
        }
        // If everything was answered in the meantime, no answer is left that would resume them.
        if total.load(ordering: .relaxed) <= limits.inAll / 2 { resumeAll() }
    }

    /// Called under the partition's lock.
    private func pause(_ partition: CommandPartition, _ state: inout CommandPartition.State) {
        guard !state.isPaused else { return }
        state.isPaused = true
        withConsumer { $0.pause(CollectionOfOne(partition.partition)) }
    }

    private func failed(_ error: KafkaError) {
        if error.isFatal {
            log.error("the command consumer failed; creating a new one", metadata: ["error": "\(error)"])
            isBroken.store(true, ordering: .releasing)
            return submitter.ring()
        }
        if error.isUnreachable || error.isTimeout {
            // A single unreachable broker of several is no outage.
            if error.code.description == "_ALL_BROKERS_DOWN" { reachability.lost(error.description) }
            return
        }
        let isNew = loggedErrors.withLock { logged in
            if logged.count > 100 { logged.removeAll() }
            return logged.insert(error.description).inserted
        }
        guard isNew else { return }
        log.warning("cannot read the commands of a topic", metadata: ["error": "\(error)"])
    }

    // MARK: In the submitter's loop

    /// Replaces a consumer that has failed. When that is not possible, it is tried again a second later.
    func replaceBrokenConsumer() {
        guard isBroken.load(ordering: .acquiring) else { return }
        let now = environment.now()
        if let next = nextReplacement.withLock({ $0 }), next > now { return }
        isBroken.store(false, ordering: .releasing)
        close()
        do throws(KafkaError) {
            try open()
        } catch {
            log.error("failed to create the command consumer", metadata: ["error": "\(error)"])
            nextReplacement.withLock { $0 = now + .seconds(1) }
            isBroken.store(true, ordering: .releasing)
        }
    }

    // MARK: On any thread

    func noteStored(_ sentAt: Instant) { environment.metrics.stored(after: clock() - sentAt) }

    func answered(
        _ offset: Int64,
        of partition: CommandPartition,
        _ outcome: Result<CommandOutcome, RequestError>
    ) {
        environment.metrics.answered(outcome, topic: partition.partition.topic)
        let now = environment.now()
        var freed = 0
        let (maySubmit, mayResume) = partition.state.withLock { state in
            guard !state.isRevoked else { return (false, false) }
            let wasStalled = state.flow.isStalled
            switch outcome {
            case .success:
                let (commit, weight) = state.flow.succeed(offset, at: now)
                freed = weight
                if let commit { withConsumer { $0.commit([partition.partition: commit]) } }
            case .failure(let error):
                state.flow.fail(offset, at: now, mayPass: error.mayPass) { failures, item in
                    failures >= limits.failures ? partition.letter(for: item, error, at: clock()) : nil
                }
            }
            let maySubmit = state.flow.retryAt != nil || (wasStalled && !state.flow.isStalled)
            return (maySubmit, state.isPaused && state.flow.weight <= limits.perPartition / 2)
        }
        if maySubmit { submitter.ring() }
        guard freed > 0 else { return }
        if release(freed), mayResume { resume(partition) }
    }

    /// Subtracts from the weight of all records. When that makes room again, all partitions are resumed.
    ///
    /// - Returns: whether there is room.
    @discardableResult
    private func release(_ weight: Int) -> Bool {
        let before = total.subtract(weight, ordering: .relaxed).oldValue
        let low = limits.inAll / 2
        if before > low, before - weight <= low { resumeAll() }
        return before - weight <= low
    }

    private func resumeAll() {
        for partition in partitions.withLock({ $0.inOrder }) { resume(partition) }
    }

    private func resume(_ partition: CommandPartition) {
        partition.state.withLock { state in
            guard state.isPaused, !state.isRevoked, state.flow.weight <= limits.perPartition / 2 else { return }
            state.isPaused = false
            withConsumer { $0.resume(CollectionOfOne(partition.partition)) }
        }
    }
}
