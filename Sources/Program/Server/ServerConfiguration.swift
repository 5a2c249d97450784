internal import Glibc
public import SagamoreKafkaFront

/// What a process of the services is told.
public struct ServerConfiguration: Sendable {
    /// Where gRPC listens.
    public var host = "127.0.0.1"
    /// 0 takes any free port.
    public var grpcPort = 7233
    /// The PostgreSQL database, as libpq reads it.
    public var postgresURL: String
    /// Names this node: a new process of the same name takes its shards at once.
    public var node: String
    /// Namespaces that are made when they are not there.
    public var namespaces = ["default"]
    /// The cluster and the routes; nil: no commands come in and no events go out.
    public var kafka: KafkaFrontConfiguration?
    /// How many shards a new database gets; one that exists keeps its own number.
    public var shardCount: Int

    /// The defaults, for a database and a node.
    public init(postgresURL: String, node: String) {
        self.postgresURL = postgresURL
        self.node = node
        shardCount = Self.defaultShardCount
    }
}

extension ServerConfiguration {
    /// Half the cores, at least 1 and at most 16: one lane commits some 20,000 transitions a second, and fewer lanes
    /// make fuller batches.
    public static var defaultShardCount: Int {
        min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2, 1), 16)
    }

    /// The name of this machine.
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A name that no other process has: its number and a random part.
    public static func processName() -> String {
        "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }
}
