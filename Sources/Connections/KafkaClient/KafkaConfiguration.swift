internal import CSagamoreRdKafka

/// How to reach a Kafka cluster, and the settings that its clients share.
public struct KafkaConfiguration: Sendable {
    /// The bootstrap brokers: `host:port`, separated by commas.
    public var bootstrap: String
    /// The client's name in the broker's logs and quotas.
    public var clientID: String
    /// librdkafka properties by their own names (`security.protocol`, `sasl.username`, `ssl.ca.location` …). They
    /// override the defaults of this module.
    public var properties: [String: String]
    /// Receives every log line of librdkafka. Called from its threads: it must be quick and must not call the client.
    /// Without it log lines are discarded.
    public var log: (@Sendable (KafkaLogLine) -> Void)?

    /// Creates a configuration.
    public init(
        bootstrap: String,
        clientID: String = "sagamore",
        properties: [String: String] = [:],
        log: (@Sendable (KafkaLogLine) -> Void)? = nil
    ) {
        self.bootstrap = bootstrap
        self.clientID = clientID
        self.properties = properties
        self.log = log
    }
}

extension KafkaConfiguration {
    /// The version of librdkafka that this program runs with.
    public static var libraryVersion: String { String(cString: rd_kafka_version_str()) }

    /// Whether this librdkafka can log in by SCRAM at an Apache Kafka of version 4 or newer. Before 2.6.1 it sends a
    /// nonce twice, which those brokers refuse as invalid credentials.
    public static var canUseScram: Bool { rd_kafka_version() >= 0x0206_0100 }

    /// What is wrong with a property, in a sentence that does not quote its value; nil when librdkafka takes it.
    public static func problem(property name: String, value: String) -> String? {
        guard let native = rd_kafka_conf_new() else { return nil }
        defer { rd_kafka_conf_destroy(native) }
        do throws(KafkaError) {
            try ClientHandle.apply([name: value], to: native)
            return nil
        } catch {
            return error.message
        }
    }
}

/// A log line of librdkafka, or of this module.
public struct KafkaLogLine: Sendable, Hashable, CustomStringConvertible {
    /// How urgent a line is.
    public enum Level: Int, Sendable, Hashable, Comparable, CaseIterable {
        /// Details for debugging the client (syslog 7).
        case debug
        /// Normal operation (syslog 5 and 6).
        case info
        /// May need attention (syslog 4).
        case warning
        /// A failure (syslog 0 to 3), such as a lost connection to a broker.
        case error

        /// Lower means less urgent.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        init(syslog level: Int32) {
            switch level {
            case ...3: self = .error
            case 4: self = .warning
            case 5, 6: self = .info
            default: self = .debug
            }
        }
    }

    /// How urgent it is.
    public let level: Level
    /// librdkafka's name for the subject, for example `FAIL` or `REBALANCE`.
    public let facility: String
    /// The text. It contains no payload of a record.
    public let text: String

    /// Facility and text.
    public var description: String { "\(facility): \(text)" }
}
