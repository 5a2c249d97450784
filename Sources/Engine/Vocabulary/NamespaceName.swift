/// A namespace as events name it.
public struct NamespaceName: Equatable, Sendable {
    /// The name, unique in the installation.
    public let name: String
    /// The id that clients see, a UUID.
    public let id: String

    public init(name: String, id: String) {
        self.name = name
        self.id = id
    }
}
