internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamoreServices
internal import SagamoreThreads
internal import Synchronization

/// Reads the command topics of all routes and hands each record to history, those of a partition in their order. A
/// partition's committed offset is that of its first record that is not durable.
final class CommandConsumer: Sendable {
    private let readers: [String: CommandReader]
    private let history: any HistoryClient
    private let limits: ConsumerLimits
    private let clock: @Sendable () -> Instant
    private let reachability: Reachability
    private let log: Logger
    private let kafka: KafkaConfiguration
    private let group: String

    let lanes = Locked<[KafkaPartition: CommandLane]>([:])
    private let total = Atomic(0)
    /// What a lane asks of it is asked under the lane's lock, under which it was decided: otherwise an older wish might
    /// come behind a newer one, and stay.
    let consumer = Locked<(any PartitionControl)?>(nil)
    private let told = Locked<Set<String>>([])
    private let bell = Doorbell()
    private let isBroken = Atomic(false)
    private let retryThread = Locked<SystemThread?>(nil)

    init(
        kafka: KafkaConfiguration,
        group: String,
        readers: [CommandReader],
        history: any HistoryClient,
        limits: ConsumerLimits,
        clock: @escaping @Sendable () -> Instant,
        reachability: Reachability,
        log: Logger
    ) {
        self.kafka = kafka
        self.group = group
        self.readers = Dictionary(readers.map { ($0.route.commandTopic, $0) }) { first, _ in first }
        self.history = history
        self.limits = limits
        self.clock = clock
        self.reachability = reachability
        self.log = log
    }

    /// Joins the group.
    ///
    /// - Throws: when a property of the configuration is not valid.
    func start() throws(KafkaError) {
        try open()
        let thread = SystemThread.required("command-retry") { [self] in retry() }
        retryThread.withLock { $0 = thread }
    }

    private func open() throws(KafkaError) {
        let handlers = KafkaConsumer.Handlers(
            records: { [weak self] in self?.take($0) },
            assigned: { [weak self] in self?.assigned($0) },
            revoked: { [weak self] partitions, _ in self?.revoked(partitions) },
            error: { [weak self] in self?.failed($0) }
        )
        var configuration = kafka
        // A record is handed over when it is there, not when there are many.
        configuration.properties.merge(["fetch.wait.max.ms": "50"]) { given, _ in given }
        let opened = try KafkaConsumer(
            configuration,
            group: group,
            topics: readers.keys.sorted(),
            handlers: handlers
        )
        consumer.withLock { $0 = opened }
    }

    /// Commits what is durable and leaves the group.
    func stop() {
        bell.stop()
        let thread = retryThread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.join()
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

    func assigned(_ partitions: [KafkaPartition]) {
        lanes.withLock { lanes in
            for partition in partitions {
                guard let reader = readers[partition.topic] else { continue }
                lanes[partition] = CommandLane(partition, reader)
            }
        }
        let topics = Set(partitions.map(\.topic))
        told.withLock { told in told = told.filter { text in !topics.contains { text.contains($0) } } }
        if !partitions.isEmpty { reachability.found() }
    }

    private func revoked(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            guard let lane = lanes.withLock({ $0.removeValue(forKey: partition) }) else { continue }
            let weight = lane.state.withLock { state in
                state.isRevoked = true
                return state.flow.weight
            }
            lighten(by: weight)
        }
    }

    func take(_ records: [KafkaRecord]) {
        reachability.found()
        let now = clock()
        var lane: CommandLane?
        for record in records {
            if lane == nil || lane?.partition.partition != record.partition || lane?.partition.topic != record.topic {
                let partition = KafkaPartition(topic: record.topic, partition: record.partition)
                lane = lanes.withLock { $0[partition] }
            }
            if let old = lane, !old.state.withLock({ $0.flow.goesOn(at: record.offset) }) {
                lane = beginAnew(old)
            }
            guard let lane else { continue }
            let item = lane.item(for: record, at: now)
            let weight = CommandLane.weight(of: record)
            total.add(weight, ordering: .relaxed)
            let isDue = lane.state.withLock { state in
                let isDue = state.flow.received(record.offset, item, weight: weight)
                if state.flow.weight >= limits.perPartition { pause(lane, &state) }
                return isDue
            }
            if isDue { submit(item, record.offset, lane) }
        }
        if total.load(ordering: .relaxed) >= limits.inAll { pauseAll() }
    }

    /// A partition whose offsets went back: its topic was deleted and made anew, or its log was cut. As with a new
    /// assignment, what was under way of it counts no more.
    private func beginAnew(_ old: CommandLane) -> CommandLane {
        log.warning("the offsets of a partition begin anew", metadata: ["partition": old.partition.description])
        let lane = CommandLane(old.partition, old.reader)
        let weight = old.state.withLock { state in
            state.isRevoked = true
            withConsumer { consumer in
                consumer.forgetOffsets(of: CollectionOfOne(old.partition))
                if state.isPaused { consumer.resume(CollectionOfOne(old.partition)) }
            }
            return state.flow.weight
        }
        lanes.withLock { $0[old.partition] = lane }
        lighten(by: weight)
        return lane
    }

    private func pauseAll() {
        for lane in lanes.withLock({ Array($0.values) }) { lane.state.withLock { state in pause(lane, &state) } }
        // What was under way may be done already: then nobody else would resume them.
        if total.load(ordering: .relaxed) <= limits.inAll / 2 { resumeAll() }
    }

    /// Under the lane's lock.
    private func pause(_ lane: CommandLane, _ state: inout CommandLane.State) {
        guard !state.isPaused else { return }
        state.isPaused = true
        withConsumer { $0.pause(CollectionOfOne(lane.partition)) }
    }

    private func failed(_ error: KafkaError) {
        if error.isFatal {
            log.error("the command consumer has failed and is made anew", metadata: ["error": error.description])
            isBroken.store(true, ordering: .releasing)
            return bell.ring()
        }
        if error.isUnreachable || error.isTimeout {
            // One of several brokers may be away; that none is there has a code of its own.
            if error.code.description == "_ALL_BROKERS_DOWN" { reachability.lost(error.description) }
            return
        }
        let isNew = told.withLock { told in
            if told.count > 100 { told.removeAll() }
            return told.insert(error.description).inserted
        }
        guard isNew else { return }
        log.warning("commands of a topic are not read", metadata: ["error": error.description])
    }

    // MARK: On any thread

    private func submit(_ item: CommandLane.Item, _ offset: Int64, _ lane: CommandLane) {
        let reply = Reply<CommandOutcome> { [weak self] outcome in self?.finished(offset, lane, outcome) }
        switch item {
        case .command(let command, _): history.submit(command, reply: reply)
        case .letter(let source, let letter): history.deadLetter(source, letter, reply: reply)
        }
    }

    private func finished(_ offset: Int64, _ lane: CommandLane, _ outcome: Result<CommandOutcome, RequestError>) {
        let now = ContinuousClock.now
        var freed = 0
        let (needsRetry, mayResume) = lane.state.withLock { state in
            guard !state.isRevoked else { return (false, false) }
            switch outcome {
            case .success:
                let (commit, weight) = state.flow.succeeded(offset, at: now)
                freed = weight
                if let commit { withConsumer { $0.commit([lane.partition: commit]) } }
            case .failure(let error):
                state.flow.failed(offset, at: now) { failures, item in
                    guard !error.mayPass, failures >= limits.failures else { return nil }
                    return lane.letter(for: item, error, at: clock())
                }
            }
            return (state.flow.retryAt != nil, state.isPaused && state.flow.weight <= limits.perPartition / 2)
        }
        if needsRetry { bell.ring() }
        guard freed > 0 else { return }
        if lighten(by: freed), mayResume { resume(lane) }
    }

    /// Takes weight away; when that makes room again, all partitions go on.
    ///
    /// - Returns: whether there is room.
    @discardableResult
    private func lighten(by weight: Int) -> Bool {
        let before = total.subtract(weight, ordering: .relaxed).oldValue
        let low = limits.inAll / 2
        if before > low, before - weight <= low { resumeAll() }
        return before - weight <= low
    }

    private func resumeAll() {
        for lane in lanes.withLock({ Array($0.values) }) { resume(lane) }
    }

    private func resume(_ lane: CommandLane) {
        lane.state.withLock { state in
            guard state.isPaused, !state.isRevoked, state.flow.weight <= limits.perPartition / 2 else { return }
            state.isPaused = false
            withConsumer { $0.resume(CollectionOfOne(lane.partition)) }
        }
    }

    // MARK: On the thread of second tries

    private func retry() {
        while !bell.isStopped {
            if isBroken.exchange(false, ordering: .acquiringAndReleasing) { renew() }
            let all = lanes.withLock { Array($0.values) }
            let now = ContinuousClock.now
            var next = now + .seconds(1)
            for lane in all {
                let due = lane.state.withLock { state in
                    let due = state.isRevoked ? [] : state.flow.due(now)
                    if let at = state.flow.retryAt { next = min(next, at) }
                    return due
                }
                for (offset, item) in due { submit(item, offset, lane) }
            }
            bell.wait(next - .now)
        }
    }

    private func renew() {
        close()
        do throws(KafkaError) {
            try open()
        } catch {
            log.error("the command consumer can not be made", metadata: ["error": error.description])
            SystemThread.sleep(.seconds(1))
            isBroken.store(true, ordering: .releasing)
        }
    }
}
