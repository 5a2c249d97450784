/// How to reach a Kafka cluster, and what every client made from this has in common.
public struct KafkaConfiguration: Sendable {
    /// The brokers to ask first: `host:port`, several separated by commas.
    public var bootstrap: String
    /// The name by which the broker's own logs and quotas know this client.
    public var clientID: String
    /// Settings that are passed on to librdkafka as they are, by its own names (`security.protocol`,
    /// `sasl.username`, `ssl.ca.location` …). They win over the defaults of this module.
    public var properties: [String: String]
    /// Takes every log line of librdkafka. Called from its threads: it must be quick and must not call back into the
    /// client. Without one the lines are dropped.
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

/// One line that librdkafka, or this module about it, wants logged.
public struct KafkaLogLine: Sendable, Hashable, CustomStringConvertible {
    /// How urgent a line is.
    public enum Level: Int, Sendable, Hashable, Comparable, CaseIterable {
        /// Details for whoever debugs the client (syslog 7).
        case debug
        /// What a healthy client says (syslog 5 and 6).
        case info
        /// What may need attention (syslog 4).
        case warning
        /// What went wrong (syslog 0 to 3); lost connections to a broker are among it.
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
    /// The part of librdkafka that speaks, for example `FAIL` or `REBALANCE`.
    public let facility: String
    /// The text, with no payload of any record in it.
    public let text: String

    /// Facility and text.
    public var description: String { "\(facility): \(text)" }
}
