import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamoreThreads
import Synchronization
import Testing

/// The brokers that a test can run against.
enum Cluster: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case development
    case apache

    /// The development broker, and Apache Kafka if available.
    static var all: [Cluster] { TemporaryKafka.isAvailable ? [.development, .apache] : [.development] }

    var testDescription: String { rawValue }

    private static let developmentBroker = Result { try KafkaDevelopmentBroker() }
    private static let apacheBroker = Result {
        // Access control is enabled and allows everything that no rule denies.
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
        // On each group change the development broker waits for one second less than this timeout.
        let properties = self == .development ? ["session.timeout.ms": "4000"] : [:]
        return KafkaConfiguration(bootstrap: bootstrap, clientID: "tests", properties: properties, log: Log.line)
    }

    /// Creates a topic with a unique name.
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

/// Unique names.
enum Names {
    private static let count = Atomic(0)

    static func next(_ name: String) -> String {
        "\(name)-\(count.add(1, ordering: .relaxed).newValue)"
    }
}

/// librdkafka's log lines, to print when a test fails.
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

/// Waits for a condition. The test fails when the limit expires.
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
