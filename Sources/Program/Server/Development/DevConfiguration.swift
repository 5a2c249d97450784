/// What `sagamore dev` is told.
public struct DevConfiguration: Sendable {
    /// Where everything listens that listens on a port.
    public var host = "127.0.0.1"
    /// 0 takes any free port.
    public var grpcPort = 7233
    /// Holds the database and `dev.json`; nil where `isEphemeral` makes a folder of its own.
    public var dataFolder: String?
    /// Namespaces that are made when they are not there.
    public var namespaces = ["default"]
    /// A Kafka cluster to use instead of the broker inside this process.
    public var kafkaBootstrap: String?
    /// A database to use instead of the private one.
    public var postgresURL: String?
    /// The data folder is a fresh one, and removed at the end.
    public var isEphemeral = false

    /// The defaults: data in `.sagamore`, everything private.
    public init() {
        dataFolder = Self.defaultDataFolder
    }

    /// Where `dev` keeps its data, and where commands look for a `dev` that runs: below the current folder.
    public static let defaultDataFolder = ".sagamore"
}
