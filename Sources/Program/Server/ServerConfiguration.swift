internal import Glibc
public import SagamoreAuthorization
public import SagamoreEngine
public import SagamoreGRPC
public import SagamoreGRPCFront
public import SagamoreKafkaFront

/// The configuration of a server process.
public struct ServerConfiguration: Sendable {
    /// The gRPC port, its certificate and its limits.
    public var grpc = GRPCServerConfiguration()
    /// The libpq URL of the database.
    public var postgresURL: String
    /// The name of this node. A new process with the same name takes over its shards at once.
    public var node: String
    /// Whom to believe; nil: everybody may do everything.
    public var authentication: AuthenticationRules?
    /// The keys of those who sign tokens; nil for no tokens.
    public var keySet: KeySetSource?
    /// Where the pages for probes and metrics are; nil for nowhere.
    public var http: WebAddress?
    /// Namespaces to create if they do not exist.
    public var namespaces = [InitialNamespace("default")]
    /// The limits of runs and requests.
    public var limits = Limits()
    /// How much namespaces and callers may ask for.
    public var requestLimits = RequestLimitTable()
    /// The Kafka cluster and the routes; nil for no Kafka.
    public var kafka: KafkaFrontConfiguration?
    /// The number of shards of a new database. Existing ones keep theirs until `sagamore migrate` changes it.
    public var shardCount: Int

    /// The defaults for a database and a node.
    public init(postgresURL: String, node: String) {
        self.postgresURL = postgresURL
        self.node = node
        shardCount = Self.defaultShardCount
    }
}

/// The address of a web server.
public struct WebAddress: Sendable, Equatable {
    /// An address, not a name.
    public var host: String
    /// The port; 0 picks a free port.
    public var port: Int
    /// The certificate; nil for plain text. It has no roots of clients.
    public var tls: GRPCServerConfiguration.TLS?

    /// An address.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// A namespace to create if it does not exist.
public struct InitialNamespace: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// How long its closed runs are kept. A day, as in Temporal's server for development, unless set.
    public var retention = Interval.seconds(86_400)
    /// Search attributes to add if they do not exist, also where the namespace does: their types by their names.
    public var searchAttributes: [String: SearchAttributeType] = [:]

    /// A namespace that keeps its closed runs for a day.
    public init(_ name: String) { self.name = name }
}

extension ServerConfiguration {
    /// Half the cores, at least 1 and at most 16. One lane commits about 20,000 transitions a second, and fewer lanes
    /// have fuller batches.
    public static var defaultShardCount: Int {
        min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2, 1), 16)
    }

    /// The name of this machine.
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A unique name: the process id and a random part.
    public static func processName() -> String {
        "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }
}
