/// Why a server could not start.
public enum GRPCServerError: Error, Sendable, Equatable {
    /// Somebody else listens on this address.
    case portBusy(host: String, port: Int)
    /// The address can't be listened on: what the system says about it.
    case cannotListen(host: String, port: Int, reason: String)
    /// The certificate or the key was refused.
    case badCredentials
    /// The server was started, or shut down, before.
    case alreadyStarted
    /// The system gave no thread, or no descriptor for one to wait with: its error number.
    case noThread(errno: Int32)
}

extension GRPCServerError: CustomStringConvertible {
    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .portBusy(let host, let port):
            return "port \(port) on \(host) is taken: stop the program that listens there, or choose another port"
        case .cannotListen(let host, let port, let reason):
            return "cannot listen on \(host) port \(port): \(reason)"
        case .badCredentials:
            return "the TLS certificate or its private key was refused: both must be PEM and belong together"
        case .alreadyStarted:
            return "this server was started before"
        case .noThread(let code):
            return "the system gave no thread or no descriptor (error \(code)): raise the limits of this user"
        }
    }
}
