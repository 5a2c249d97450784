public import SagamoreGRPC

/// Why the services could not start.
public enum ServerError: Error, CustomStringConvertible {
    /// A stop was requested before the start was complete.
    case stopped
    /// The gRPC port cannot be opened.
    case cannotListen(GRPCServerError)
    /// The HTTP port cannot be opened, with the reason.
    case cannotServePages(String)
    /// The data folder is unusable, with the reason.
    case dataFolder(String)
    /// A setting is invalid, with its name and the reason.
    case badSetting(String)
    /// The database is unusable, with the reason.
    case database(String)
    /// The Kafka cluster is unusable, with the reason.
    case kafka(String)

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .stopped: "stopped before it was ready"
        case .cannotListen(let error): error.description
        case .cannotServePages(let reason): reason
        case .dataFolder(let reason), .badSetting(let reason), .database(let reason), .kafka(let reason): reason
        }
    }
}
