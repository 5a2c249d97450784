import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreThreads
import Synchronization
import Testing

/// The brokers against which one and the same test runs.
enum Cluster: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case development
    case apache

    /// The development broker always; Apache Kafka where there is one.
    static var all: [Cluster] { TemporaryKafka.isAvailable ? [.development, .apache] : [.development] }

    var testDescription: String { rawValue }

    private static let developmentBroker = Result { try KafkaDevelopmentBroker() }
    private static let apacheBroker = Result {
        // Access rules are on and let everything pass that no rule forbids.
        try TemporaryKafka(settings: [
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "true",
        ])
    }

    static func development() throws -> KafkaDevelopmentBroker { try developmentBroker.get() }
    static func apache() throws -> TemporaryKafka { try apacheBroker.get() }

    func configuration() throws -> KafkaConfiguration {
        let bootstrap =
            switch self {
            case .development: try Self.development().bootstrap
            case .apache: try Self.apache().bootstrap
            }
        // Whenever a group changes, the development broker waits for a second less than this before it goes on.
        let properties = self == .development ? ["session.timeout.ms": "4000"] : [:]
        return KafkaConfiguration(bootstrap: bootstrap, clientID: "tests", properties: properties, log: Log.line)
    }

    /// A new topic with a name of its own.
    func topic(
        _ name: String,
        partitions: Int = 1,
        settings: [String: String] = [:]
    ) throws -> String {
        let topic = Names.next(name)
        switch self {
        case .development: try Self.development().createTopics([topic], partitions: partitions)
        case .apache:
            try Self.apache().createTopics([topic], partitions: partitions, configuration: settings)
        }
        return topic
    }
}

/// Names that no other test has.
enum Names {
    private static let count = Atomic(0)

    static func next(_ name: String) -> String {
        "\(name)-\(count.add(1, ordering: .relaxed).newValue)"
    }
}

/// librdkafka's lines, kept to be printed when a test fails.
enum Log {
    private static let lines = Locked<[KafkaLogLine]>([])

    static let line: @Sendable (KafkaLogLine) -> Void = { line in
        lines.withLock { lines in
            if lines.count >= 1000 { lines.removeFirst(500) }
            lines.append(line)
        }
    }

    static func contains(_ text: String) -> Bool {
        lines.withLock { $0.contains { $0.description.contains(text) } }
    }
}

struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Waits for a condition; the time is only the limit after which the test fails.
func wait(
    for what: String,
    limit: Duration = .seconds(30),
    until condition: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        if ContinuousClock.now > deadline { throw NotInTime(description: "not in time: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
