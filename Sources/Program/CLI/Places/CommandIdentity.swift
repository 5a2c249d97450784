internal import FoundationEssentials
internal import Glibc
internal import SagamoreServer

/// Who runs a command, as histories show it.
enum CommandIdentity {
    /// `sagamore:USER@HOST`.
    static var text: String { "sagamore:\(userName)@\(ServerConfiguration.hostName)" }

    /// The reason of what nobody gave a reason for, as the `temporal` command has it.
    static var reason: String { "Requested from CLI by \(userName)" }

    static var userName: String {
        guard let entry = getpwuid(getuid()), let name = entry.pointee.pw_name else { return "uid \(getuid())" }
        return String(cString: name)
    }

    /// A new id, of a request or a workflow.
    static func newID() -> String { UUID().uuidString.lowercased() }
}
