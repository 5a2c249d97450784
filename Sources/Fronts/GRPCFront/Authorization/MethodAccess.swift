public import SagamoreAuthorization

/// What a call needs, and where.
public struct MethodAccess: Sendable, Hashable {
    /// Where the caller needs a role.
    public enum Scope: String, Sendable {
        /// In the request's namespace, or everywhere.
        case namespace
        /// Everywhere: the call belongs to no namespace.
        case system
    }

    /// The role.
    public let access: Access
    /// Where.
    public let scope: Scope

    init(_ access: Access, _ scope: Scope = .namespace) {
        self.access = access
        self.scope = scope
    }
}
