/// What somebody may do in a namespace, or in all of them. The names are those of Temporal's permissions.
public struct Roles: OptionSet, Sendable, Hashable {
    /// The roles as bits, those of Temporal's server.
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Takes tasks from task queues and reports their results.
    public static let worker = Roles(rawValue: 1)
    /// Looks at everything and changes nothing.
    public static let read = Roles(rawValue: 2)
    /// Reads, works, and starts, signals and ends workflows.
    public static let write = Roles(rawValue: 4)
    /// Does everything.
    public static let admin = Roles(rawValue: 8)

    /// The role of a name, in any case; nil for another name.
    public init?(name: some StringProtocol) {
        switch name.lowercased() {
        case "worker": self = .worker
        case "read": self = .read
        case "write": self = .write
        case "admin": self = .admin
        default: return nil
        }
    }
}

/// What a call needs.
public enum Access: String, Sendable, CaseIterable {
    /// Nothing: it tells nobody's data, and whoever connects begins with it.
    case anybody
    /// Any role: workers need it as much as readers.
    case member
    /// To look at something.
    case read
    /// To take a task, or to report about one.
    case worker
    /// To start, change or end workflows.
    case write
    /// To change what others rely on.
    case admin

    /// Whether the roles suffice.
    public func isGranted(to roles: Roles) -> Bool {
        switch self {
        case .anybody: true
        case .member: !roles.isEmpty
        case .read: !roles.isDisjoint(with: [.read, .write, .admin])
        case .worker: !roles.isDisjoint(with: [.worker, .write, .admin])
        case .write: !roles.isDisjoint(with: [.write, .admin])
        case .admin: roles.contains(.admin)
        }
    }
}
