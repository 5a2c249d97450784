internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamoreThreads

/// Ensures that the topics of the routes and the cursor topic exist.
final class TopicKeeper: Sendable {
    private let configuration: KafkaFrontConfiguration
    private let shardCount: Locked<Int>
    private let admin: any ClusterAdmin
    private let now: @Sendable () -> ContinuousClock.Instant
    private let log: Logger
    private let logged = Locked<Set<String>>([])

    init(
        configuration: KafkaFrontConfiguration,
        shardCount: Int,
        admin: any ClusterAdmin,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        log: Logger
    ) {
        self.configuration = configuration
        self.shardCount = Locked(shardCount)
        self.admin = admin
        self.now = now
        self.log = log
    }

    /// The cursor topic needs a partition for each of so many shards from now on; the next check sees to it.
    func shardCountChanged(_ count: Int) {
        shardCount.withLock { $0 = max($0, count) }
    }

    /// A new cursor topic has partitions for as many shards as a database usually may have.
    private var cursorPartitions: Int { max(configuration.partitions, shardCount.withLock { $0 }, 16) }

    /// A check of the topics, which creates those that are missing and waits for them until its deadline.
    struct Check {
        fileprivate let limit: Duration
        fileprivate let deadline: ContinuousClock.Instant
        fileprivate var hasCreated = false
    }

    /// What a step of a check leads to.
    enum Progress: Equatable {
        /// The next step is due then.
        case continues(at: ContinuousClock.Instant)
        /// Whether all topics exist, and the cursor topic has a partition for each shard.
        case ended(Bool)
    }

    /// Begins a check.
    func check(within limit: Duration) -> Check { Check(limit: limit, deadline: now() + limit) }

    func step(_ check: inout Check) -> Progress {
        let names = Set(configuration.routes.flatMap(\.topics)).sorted()
        do throws(KafkaError) {
            if !check.hasCreated {
                prepare()
                let missing = try missing(names, check.limit)
                guard !missing.isEmpty else { return .ended(true) }
                create(missing, check.deadline)
                check.hasCreated = true
            }
            let missing = try missing(names, max(check.deadline - now(), .milliseconds(100)))
            if missing.isEmpty { return .ended(true) }
            let next = now() + .milliseconds(50)
            if next < check.deadline { return .continues(at: next) }
            for name in missing { logOnce("a topic is missing, create it", name, "") }
        } catch {
            log.debug("cannot look up topics", metadata: ["error": "\(error)"])
        }
        return .ended(false)
    }

    /// Creates missing topics, and gives the cursor topic the partitions that it lacks.
    private func create(_ missing: [String], _ deadline: ContinuousClock.Instant) {
        if missing.contains(configuration.cursorTopic) { growCursorTopic(deadline) }
        guard case .byRequest = configuration.topicCreation else { return }
        let letters = Set(configuration.routes.map(\.deadLetterTopic)).intersection(missing)
        let others = missing.filter { $0 != configuration.cursorTopic && !letters.contains($0) }
        create(others, configuration.partitions, deadline)
        // A dead letter is larger than the record that it contains.
        let settings = ["max.message.bytes": String(PublisherSettings.largestRecord)]
        create(letters.sorted(), configuration.partitions, deadline, settings)
        if missing.contains(configuration.cursorTopic) {
            create([configuration.cursorTopic], cursorPartitions, deadline)
        }
    }

    /// Creates the topics of a development broker before any client asks for them: that would create them with the
    /// broker's own number of partitions.
    func prepare() {
        guard case .custom = configuration.topicCreation else { return }
        let names = Set(configuration.routes.flatMap(\.topics)).sorted()
        create(names, configuration.partitions, now())
        create([configuration.cursorTopic], cursorPartitions, now())
    }

    private func missing(_ names: [String], _ limit: Duration) throws(KafkaError) -> [String] {
        let counts = try admin.partitionCounts(names + [configuration.cursorTopic], timeout: limit)
        var missing: [String] = []
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            switch count {
            case .failure(let error):
                if error.isUnknownTopic {
                    missing.append(name)
                } else {
                    logOnce("cannot use a topic", name, "\(error)")
                }
            case .success(let partitions) where name == configuration.cursorTopic:
                let needed = shardCount.withLock { $0 }
                guard partitions < needed else { continue }
                if mayGrow { missing.append(name) } else { logTooFew(name, "it has \(partitions) of \(needed)") }
            case .success: break
            }
        }
        return missing
    }

    private var mayGrow: Bool {
        if case .byRequest = configuration.topicCreation { true } else { false }
    }

    private func logTooFew(_ topic: String, _ reason: String) {
        logOnce("the cursor topic needs a partition for each shard: add partitions", topic, reason)
    }

    /// Gives the cursor topic a partition for each shard, where it has fewer.
    private func growCursorTopic(_ deadline: ContinuousClock.Instant) {
        guard mayGrow else { return }
        let (topic, limit) = (configuration.cursorTopic, max(deadline - now(), .seconds(1)))
        do throws(KafkaError) {
            guard case .success(let count)? = try admin.partitionCounts([topic], timeout: limit)[topic] else { return }
            guard count < cursorPartitions else { return }
            try admin.createPartitions(of: topic, total: cursorPartitions, timeout: limit)
            log.info(
                "the cursor topic has grown",
                metadata: ["topic": "\(topic)", "partitions": "\(cursorPartitions)"]
            )
        } catch {
            logTooFew(topic, error.description)
        }
    }

    private func create(
        _ names: [String],
        _ partitions: Int,
        _ deadline: ContinuousClock.Instant,
        _ settings: [String: String] = [:]
    ) {
        guard !names.isEmpty else { return }
        do throws(KafkaError) {
            switch configuration.topicCreation {
            case .none: return
            case .byRequest:
                let limit = max(deadline - now(), .seconds(1))
                try admin.createTopics(
                    names,
                    partitions: partitions,
                    replication: -1,
                    configuration: settings,
                    timeout: limit
                )
            case .custom(let create): try create(names, partitions)
            }
            log.debug("topics were created", metadata: ["topics": "\(names.joined(separator: ", "))"])
        } catch {
            logOnce("cannot create topics", names.joined(separator: ", "), error.description)
        }
    }

    /// Logs the same error about a topic once.
    private func logOnce(_ what: String, _ topic: String, _ error: String) {
        guard logged.withLock({ $0.insert(what + topic).inserted }) else { return }
        log.error(what, metadata: ["topic": "\(topic)", "error": "\(error)"])
    }
}
