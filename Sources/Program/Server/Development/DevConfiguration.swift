public import SagamoreEngine
public import SagamoreGRPCFront

/// The configuration of `sagamore dev`.
public struct DevConfiguration: Sendable {
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The gRPC port; 0 picks a free port.
    public var grpcPort = 7233
    /// The port of the pages; 0 picks a free one. If it is taken, there are none.
    public var httpPort = 8233
    /// The folder of the database and `dev.json`; nil to create a temporary one with `isEphemeral`.
    public var dataFolder: String?
    /// Namespaces to create if they do not exist.
    public var namespaces = ["default"]
    /// Search attributes that each of them gets: their types by their names.
    public var searchAttributes: [String: SearchAttributeType] = [:]
    /// How much namespaces and callers may ask for.
    public var requestLimits = RequestLimitTable()
    /// The limits of runs and requests.
    public var limits = Limits()
    /// A Kafka cluster to use instead of the broker inside this process.
    public var kafkaBootstrap: String?
    /// A database to use instead of the private one.
    public var postgresURL: String?
    /// Whether the data folder starts empty and is removed at exit.
    public var isEphemeral = false

    /// The defaults: data in `.sagamore`, a private database and broker.
    public init() {
        dataFolder = Self.defaultDataFolder
    }

    /// The default data folder, where commands also look for a running `dev`; relative to the current folder.
    public static let defaultDataFolder = ".sagamore"
}
