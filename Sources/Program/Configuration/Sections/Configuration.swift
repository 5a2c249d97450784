internal import SagamoreServer

/// The configuration of `sagamore serve`.
public struct Configuration: ConfigurationSection {
    /// The name of this node; empty for the machine's.
    public var node = ""
    /// The shards of a new database; 0 for half the cores.
    public var shards = 0
    /// The database.
    public var postgres = PostgresSection()
    /// The Kafka cluster; nil for no Kafka.
    public var kafka: KafkaSection?
    /// Where clients and workers connect.
    public var grpc = GRPCSection()
    /// Who may call; nil: everybody may do everything.
    public var authorization: AuthorizationSection?
    /// The pages for probes and for Prometheus; nil for none.
    public var http: HTTPSection? = HTTPSection()
    /// Namespaces that exist from the start.
    public var namespaces = [NamespaceSection()]
    /// The log.
    public var log = LogSection()
    /// How much namespaces and callers may ask for.
    public var limits = LimitsSection()
    /// The limits of runs and requests, by Temporal's keys.
    public var dynamicConfig: ConfigurationPath?

    /// The defaults.
    public init() {}

    /// All keys.
    public static let settings: [Setting<Configuration>] = [
        Setting(
            "node",
            \.node,
            """
            The name of this node. A new process of the same name takes the shards of the old one at once. Empty: the \
            name of the machine.
            """
        ),
        Setting(
            "shards",
            \.shards,
            """
            The number of shards (commit lanes) of a new database, 1 to 16; 'sagamore migrate --shards' changes that \
            of another. 0: half the cores.
            """
        ) { (0...16).contains($0) ? nil : "expects a number from 0 to 16, not \($0)" },
        Setting("postgres", \.postgres, "The database."),
        Setting("kafka", \.kafka, "The Kafka cluster with the topics of commands and events. Absent: no Kafka."),
        Setting("grpc", \.grpc, "Where workers, clients and the 'temporal' command connect."),
        Setting(
            "authorization",
            \.authorization,
            "Who may call, and what. Absent: everybody who can connect may do everything."
        ),
        Setting(
            "http",
            \.http,
            "Pages for probes and for Prometheus: /healthz, /readyz, /metrics. Without a value: none."
        ),
        Setting("namespaces", \.namespaces, "Namespaces that are created at the start if they do not exist."),
        Setting(
            "limits",
            \.limits,
            "How much namespaces and callers may ask for. What is too much is answered RESOURCE_EXHAUSTED, with a time."
        ),
        Setting("log", \.log, "The log, on standard error."),
        Setting(
            "dynamicConfig",
            \.dynamicConfig,
            """
            A file with limits by the keys of Temporal's dynamic configuration, in its form. It is read again when it \
            changes, and counts before 'limits'.
            """
        ),
    ]

    /// Certificates count only where they are verified.
    public func validate() throws {
        guard let authorization, !authorization.certificates.isEmpty, grpc.tls?.clientRoots == nil else { return }
        throw ConfigurationProblem(
            "'authorization.certificates' needs 'grpc.tls.clientRoots': nobody else verifies them",
            key: "authorization"
        )
    }
}

/// A namespace to create.
public struct NamespaceSection: ConfigurationSection {
    /// Its name.
    public var name = "default"
    /// How long closed runs are kept.
    public var retention = ConfigurationDuration(.seconds(86_400))

    /// The namespace `default`.
    public init() {}

    /// All keys.
    public static let settings: [Setting<NamespaceSection>] = [
        Setting("name", \.name, "Its name.") { $0.isEmpty ? "is empty" : nil },
        Setting(
            "retention",
            \.retention,
            "How long closed runs are kept, from 1h on. It counts when the namespace is created."
        ) { $0.duration < .seconds(3_600) ? "is shorter than 1h" : nil },
    ]
}

/// The log.
public struct LogSection: ConfigurationSection {
    /// The lowest level.
    public enum Level: String, ConfigurationChoice {
        /// As in swift-log.
        case trace, debug, info, notice, warning, error, critical
    }

    /// The form of a line.
    public enum Format: String, ConfigurationChoice {
        /// For people, and for machines.
        case text, json
    }

    /// The lowest level that is written.
    public var level = Level.info
    /// The form of lines.
    public var format = Format.json

    /// Lines of JSON, from level info on.
    public init() {}

    /// All keys.
    public static let settings: [Setting<LogSection>] = [
        Setting("level", \.level, "The lowest level: trace, debug, info, notice, warning, error or critical."),
        Setting("format", \.format, "The form of a line: text (for people) or json (one object a line)."),
    ]
}
