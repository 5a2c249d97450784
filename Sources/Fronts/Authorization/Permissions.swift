/// The roles of somebody, by namespace. Written as Temporal's permissions are: `travel:write`, and
/// `temporal-system:admin` for all namespaces.
public struct Permissions: Sendable, Hashable {
    /// The name that stands for all namespaces, and for what belongs to none.
    public static let system = "temporal-system"

    private var everywhere: Roles = []
    private var namespaces: [String: Roles] = [:]

    /// None.
    public init() {}

    /// Reads permissions and leaves out what is none, as Temporal's server does: a token may have others for others.
    public init(_ permissions: some Sequence<String>) {
        for permission in permissions { _ = add(permission) }
    }

    /// Adds a permission. Returns false if the text is none.
    public mutating func add(_ permission: String) -> Bool {
        guard let separator = permission.lastIndex(of: ":"), separator > permission.startIndex,
            let role = Roles(name: permission[permission.index(after: separator)...])
        else { return false }
        let namespace = String(permission[..<separator])
        if namespace == Self.system {
            everywhere.formUnion(role)
        } else {
            namespaces[namespace, default: []].formUnion(role)
        }
        return true
    }

    /// The roles in a namespace; nil stands for what belongs to no namespace.
    public func roles(in namespace: String?) -> Roles {
        guard let namespace, !namespace.isEmpty else { return everywhere }
        return everywhere.union(namespaces[namespace] ?? [])
    }
}

/// Somebody who has proved who they are.
public final class Caller: Sendable {
    /// The name for logs: of the API key, the token's `sub`, or the certificate's subject.
    public let name: String
    /// What they may do.
    public let permissions: Permissions

    /// Somebody.
    public init(name: String, permissions: Permissions) {
        self.name = name
        self.permissions = permissions
    }
}
