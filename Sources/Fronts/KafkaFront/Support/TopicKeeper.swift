internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamoreThreads

/// Sees to it that the topics of the routes and the cursor topic are there.
final class TopicKeeper: Sendable {
    private let configuration: KafkaFrontConfiguration
    private let shardCount: Int
    private let admin: KafkaAdmin
    private let log: Logger
    private let told = Locked<Set<String>>([])

    init(configuration: KafkaFrontConfiguration, shardCount: Int, admin: KafkaAdmin, log: Logger) {
        self.configuration = configuration
        self.shardCount = shardCount
        self.admin = admin
        self.log = log
    }

    /// - Returns: whether all topics are there, and the cursor topic has a partition for each shard.
    func ensure(_ limit: Duration) -> Bool {
        let names = Set(configuration.routes.flatMap(\.topics)).sorted()
        let deadline = ContinuousClock.now + limit
        do throws(KafkaError) {
            prepare()
            var missing = try missing(names, limit)
            guard !missing.isEmpty else { return true }
            if case .byRequest = configuration.topicCreation {
                let letters = Set(configuration.routes.map(\.deadLetterTopic)).intersection(missing)
                let others = missing.filter { $0 != configuration.cursorTopic && !letters.contains($0) }
                create(others, configuration.partitions, deadline)
                // A record that is large by itself is larger as a dead letter.
                let settings = ["max.message.bytes": String(PublisherSettings.largestRecord)]
                create(letters.sorted(), configuration.partitions, deadline, settings)
                if missing.contains(configuration.cursorTopic) {
                    create([configuration.cursorTopic], max(configuration.partitions, shardCount), deadline)
                }
            }
            repeat {
                missing = try self.missing(names, max(deadline - .now, .milliseconds(100)))
                if missing.isEmpty { return true }
                SystemThread.sleep(.milliseconds(50))
            } while .now < deadline
            for name in missing { tell("a topic is missing", name, "") }
            return false
        } catch {
            log.debug("topics can not be looked at", metadata: ["error": error.description])
            return false
        }
    }

    /// The development broker makes a topic, with partitions of its own number, as soon as somebody asks for it: so
    /// nobody may ask before.
    func prepare() {
        guard case .custom = configuration.topicCreation else { return }
        let names = Set(configuration.routes.flatMap(\.topics)).sorted()
        create(names, configuration.partitions, .now)
        create([configuration.cursorTopic], max(configuration.partitions, shardCount), .now)
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
                    tell("a topic can not be used", name, "\(error)")
                }
            case .success(let partitions) where name == configuration.cursorTopic && partitions < shardCount:
                tell("the cursor topic needs a partition for each shard", name, "it has \(partitions) of \(shardCount)")
            case .success: break
            }
        }
        return missing
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
                let limit = max(deadline - .now, .seconds(1))
                try admin.createTopics(names, partitions: partitions, configuration: settings, timeout: limit)
            case .custom(let create): try create(names, partitions)
            }
            log.debug("topics were created", metadata: ["topics": names.joined(separator: ", ")])
        } catch {
            tell("topics can not be created", names.joined(separator: ", "), error.description)
        }
    }

    /// Says the same thing once.
    private func tell(_ what: String, _ topic: String, _ error: String) {
        guard told.withLock({ $0.insert(what + topic).inserted }) else { return }
        log.error(what, metadata: ["topic": topic, "error": error])
    }
}
