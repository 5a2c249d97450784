public import SagamoreGRPCServer

/// Why the services could not be started.
public enum ServerError: Error, CustomStringConvertible {
    /// It was to end before it had begun.
    case stopped
    /// The gRPC port can't be listened on.
    case cannotListen(GRPCServerError)
    /// The data folder can't be used: why.
    case dataFolder(String)
    /// The setting is not valid: which, and why.
    case badSetting(String)
    /// The database can't be used as it is: why.
    case database(String)
    /// The Kafka cluster can't be used as it is: why.
    case kafka(String)

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .stopped: "stopped before it was ready"
        case .cannotListen(let error): error.description
        case .dataFolder(let reason), .badSetting(let reason), .database(let reason), .kafka(let reason): reason
        }
    }
}
