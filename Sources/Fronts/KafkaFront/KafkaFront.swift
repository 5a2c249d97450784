public import SagamoreEngine
public import SagamoreKafkaClient
public import SagamoreLogging
public import SagamorePersistence
public import SagamoreServices
internal import SagamoreThreads
internal import Synchronization

/// Kafka in and out: submits commands from the routes' topics to history, and publishes the outbox.
///
/// Unreachable brokers are no error. The front logs them once and continues when they are reachable.
public final class KafkaFront: Sendable {
    private let configuration: KafkaFrontConfiguration
    private let history: any HistoryClient
    private let namespaces: any NamespaceDirectory
    private let clock: @Sendable () -> Instant
    private let log: Logger
    private let shard: @Sendable (WorkflowKey) -> Int
    private let installationID: String
    private let environment: FrontEnvironment
    private let admin: any ClusterAdmin
    private let reachability: Reachability
    private let topics: TopicKeeper
    private let makePublisher: @Sendable (Int32) -> ShardPublisher
    private let loop: any DrivenLoop
    private let ready = Atomic(false)
    private let state: Locked<State>

    private struct State {
        var ownsShards = false
        /// Publishers of shards, from the first one on.
        var publishers: [ShardPublisher] = []
        var shardCount: Int
        var consumer: CommandConsumer?
    }

    /// - Parameters:
    ///   - makeOutboxStore: makes a publisher its own connection to the database; called on the publisher's thread.
    ///   - installationID: made with the database: names cursors and producers on the broker.
    ///   - shard: the shard of a workflow. It bounds the commands that are under way in each.
    ///   - clock: the time in dead letters, and the timestamp of published records.
    /// - Throws: when a property of the configuration is not valid.
    public convenience init(
        configuration: KafkaFrontConfiguration,
        history: any HistoryClient,
        makeOutboxStore: @escaping @Sendable () throws -> any OutboxStore,
        namespaces: any NamespaceDirectory,
        installationID: String,
        shardCount: Int,
        shard: @escaping @Sendable (WorkflowKey) -> Int,
        clock: @escaping @Sendable () -> Instant,
        metrics: KafkaFrontMetrics = KafkaFrontMetrics(),
        log: Logger
    ) throws(KafkaError) {
        var environment = FrontEnvironment.system
        environment.metrics = metrics
        try self.init(
            configuration: configuration,
            history: history,
            makeOutboxStore: makeOutboxStore,
            namespaces: namespaces,
            installationID: installationID,
            shardCount: shardCount,
            shard: shard,
            clock: clock,
            environment: environment,
            log: log
        )
    }

    /// - Parameter environment: what the front takes from outside. The others are those of the public initializer.
    /// - Throws: when a property of the configuration is not valid.
    package init(
        configuration: KafkaFrontConfiguration,
        history: any HistoryClient,
        makeOutboxStore: @escaping @Sendable () throws -> any OutboxStore,
        namespaces: any NamespaceDirectory,
        installationID: String,
        shardCount: Int,
        shard: @escaping @Sendable (WorkflowKey) -> Int,
        clock: @escaping @Sendable () -> Instant,
        environment: FrontEnvironment,
        log: Logger
    ) throws(KafkaError) {
        var configuration = configuration
        if configuration.kafka.log == nil {
            // The front itself logs what an operator needs.
            configuration.kafka.log = { line in log.debug("librdkafka", metadata: ["line": "\(line)"]) }
        }
        self.configuration = configuration
        self.history = history
        self.namespaces = namespaces
        self.installationID = installationID
        self.shard = shard
        self.clock = clock
        self.log = log
        self.environment = environment
        loop = environment.loops.loop(.front)
        let admin = try environment.clients.admin(configuration.kafka)
        self.admin = admin
        let reachability = Reachability(bootstrap: configuration.kafka.bootstrap, log: log)
        self.reachability = reachability
        topics = TopicKeeper(
            configuration: configuration,
            shardCount: shardCount,
            admin: admin,
            now: environment.now,
            log: log
        )
        let settings = PublisherSettings(
            kafka: configuration.kafka,
            installationID: installationID,
            cursorTopic: configuration.cursorTopic,
            clock: clock
        )
        state = Locked(State(shardCount: shardCount))
        makePublisher = { shard in
            ShardPublisher(
                shard: shard,
                settings: settings,
                admin: admin,
                makeStore: makeOutboxStore,
                reachability: reachability,
                environment: environment,
                log: log
            )
        }
    }

    /// Starts publishing and creates the topics, in loops of its own. Returns at once. Commands are read after
    /// ``ownershipChanged(ownsShards:)`` has reported that this process owns shards.
    public func start() {
        topics.prepare()
        startPublishers()
        loop.start { [self] in
            var progress = Progress()
            return { self.step(&progress) }
        }
    }

    /// Reports whether this process owns shards. Members of the command group are assigned partitions, so only an owner
    /// joins, and a process that lost its shards leaves. Returns at once. Thread-safe.
    public func ownershipChanged(ownsShards: Bool) {
        state.withLock { $0.ownsShards = ownsShards }
        loop.ring()
    }

    /// Reports new records in a shard's outbox. Cheap and thread-safe.
    public func outboxGrew(_ shard: Int32) {
        let publisher = state.withLock { state in
            state.publishers.indices.contains(Int(shard)) ? state.publishers[Int(shard)] : nil
        }
        publisher?.ring()
    }

    /// Shards were added: their outboxes are published, too, once the cursor topic has partitions for them. Returns at
    /// once, from any thread.
    public func shardCountChanged(_ count: Int) {
        state.withLock { $0.shardCount = max($0.shardCount, count) }
        topics.shardCountChanged(count)
        loop.ring()
    }

    /// Publishers stay when their shards have no slices any more: what is left in their outboxes is to be published.
    private func startPublishers() {
        state.withLock { state in
            for shard in state.publishers.count..<max(state.shardCount, state.publishers.count) {
                let publisher = makePublisher(Int32(shard))
                publisher.start()
                state.publishers.append(publisher)
            }
        }
    }

    private var lacksPublishers: Bool { state.withLock { $0.publishers.count < $0.shardCount } }

    /// Whether the topics exist and commands are read.
    public var isReady: Bool { ready.load(ordering: .acquiring) }

    /// Commits the offsets of durable commands, leaves the group, and ends all loops. Blocks.
    public func stop() {
        loop.stop()
        loop.join()
        takeConsumer()?.stop()
        let publishers = state.withLock { $0.publishers }
        for publisher in publishers { publisher.askToStop() }
        for publisher in publishers { publisher.stop() }
    }

    private func takeConsumer() -> CommandConsumer? {
        state.withLock { state in
            defer { state.consumer = nil }
            return state.consumer
        }
    }

    // MARK: In the front's loop

    private enum Phase {
        /// Can transition to: `checkingTopics`.
        case findingCluster
        /// Can transition to: `resting`.
        case checkingTopics(TopicKeeper.Check)
        /// Can transition to: `checkingTopics`.
        case resting
    }

    /// How far the front's loop is.
    private struct Progress {
        var phase = Phase.findingCluster
        /// Empty until a broker has answered.
        var cluster = ""
        var areTopicsThere = false
        var backoff = Backoff(first: .milliseconds(200), longest: .seconds(10))
        var pauseEnd: ContinuousClock.Instant?
    }

    /// Finds a broker and the topics, and then follows the ownership of shards. Does not sleep.
    ///
    /// - Returns: when the next step is due; nil after the last one.
    private func step(_ progress: inout Progress) -> Wake? {
        guard !loop.isStopped else { return nil }
        if let end = progress.pauseEnd, end > environment.now() { return .at(end) }
        progress.pauseEnd = nil
        switch progress.phase {
        case .findingCluster:
            guard let cluster = clusterID() else { return .now }
            progress.cluster = cluster
            progress.phase = .checkingTopics(topics.check(within: .seconds(10)))
            return .now
        case .checkingTopics(var check):
            switch topics.step(&check) {
            case .continues(let time):
                progress.phase = .checkingTopics(check)
                progress.pauseEnd = time
                return .at(time)
            case .ended(let areThere):
                progress.areTopicsThere = areThere
                progress.phase = .resting
                if areThere { startPublishers() }
                return rest(&progress)
            }
        case .resting:
            if progress.areTopicsThere, !lacksPublishers { return rest(&progress) }
            progress.phase = .checkingTopics(topics.check(within: .seconds(10)))
            return .now
        }
    }

    /// Follows the ownership of shards until the topics are to be checked again.
    private func rest(_ progress: inout Progress) -> Wake? {
        guard followOwnership(progress.cluster) else { return nil }
        let isReading = state.withLock { $0.consumer != nil }
        ready.store(progress.areTopicsThere && isReading, ordering: .releasing)
        let pause = progress.areTopicsThere ? .seconds(3_600) : progress.backoff.next(environment.chance)
        return .ring(orAt: environment.now() + pause)
    }

    /// Joins the command group when this process owns shards, and leaves it when it does not.
    ///
    /// - Returns: false when the configuration of the consumer is not valid.
    private func followOwnership(_ cluster: String) -> Bool {
        let (ownsShards, isReading) = state.withLock { ($0.ownsShards, $0.consumer != nil) }
        guard ownsShards != isReading else { return true }
        if ownsShards { return startConsumer(cluster) }
        log.warning("stopped reading commands: this process owns no shards")
        takeConsumer()?.stop()
        return true
    }

    /// Nil when no broker answers.
    private func clusterID() -> String? {
        do throws(KafkaError) {
            let id = try admin.clusterID(timeout: .seconds(2))
            reachability.found()
            return configuration.clusterID ?? id
        } catch {
            reachability.lost(error.description)
            return nil
        }
    }

    private func startConsumer(_ cluster: String) -> Bool {
        let namespaces = namespaces
        let readers = configuration.routes.map { route in
            CommandReader(
                route: route,
                limits: configuration.limits,
                cluster: cluster,
                namespaceNumber: { (try? namespaces.namespace(named: $0))?.number },
                searchAttributes: { (try? namespaces.namespace(named: $0))?.searchAttributes }
            )
        }
        let consumer = CommandConsumer(
            kafka: configuration.kafka,
            group: configuration.consumerGroup ?? "sagamore-\(installationID)-commands",
            readers: readers,
            history: history,
            limits: configuration.consumerLimits,
            shard: shard,
            clock: clock,
            reachability: reachability,
            environment: environment,
            log: log
        )
        do throws(KafkaError) {
            try consumer.start()
        } catch {
            log.error("cannot read commands", metadata: ["error": "\(error)"])
            return false
        }
        state.withLock { $0.consumer = consumer }
        environment.metrics.ask { [weak consumer] in consumer?.lag() ?? [] }
        return true
    }
}
