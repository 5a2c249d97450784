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
