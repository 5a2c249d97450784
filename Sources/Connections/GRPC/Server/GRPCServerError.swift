/// Why a server could not start.
public enum GRPCServerError: Error, Sendable, Equatable {
    /// Another program listens on this address.
    case portBusy(host: String, port: Int)
    /// Listening failed, with the system's reason.
    case cannotListen(host: String, port: Int, reason: String)
    /// The certificate or the key is invalid.
    case badCredentials
    /// The server was started or shut down before.
    case alreadyStarted
    /// The system refused a thread or a file descriptor, with its error number.
    case noThread(errno: Int32)
}

extension GRPCServerError: CustomStringConvertible {
    /// The problem, and what to do about it.
    public var description: String {
        switch self {
        case .portBusy(let host, let port):
            return "port \(port) on \(host) is taken: stop the program that listens there, or choose another port"
        case .cannotListen(let host, let port, let reason):
            return "cannot listen on \(host) port \(port): \(reason)"
        case .badCredentials:
            return "the TLS certificate or its private key is invalid: both must be PEM, and the key must match"
        case .alreadyStarted:
            return "this server was started before"
        case .noThread(let code):
            return "the system refused a thread or a file descriptor (error \(code)): raise the limits of this user"
        }
    }
}
