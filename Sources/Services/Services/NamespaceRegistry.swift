public import SagamoreEngine
public import SagamoreProtobuf

/// The record of a namespace.
public struct NamespaceRecord: Sendable, Equatable {
    /// The number that identifies it in all rows.
    public let number: Int32
    /// The id that clients see, a UUID.
    public let id: String
    /// The name, unique in the installation.
    public let name: String
    /// A description for people.
    public let description: String
    /// The contact address of its owner.
    public let ownerEmail: String
    /// How long closed runs are kept.
    public let retention: Interval
    /// Data that clients have stored with the namespace.
    public let data: ProtobufMap<String>

    public init(
        number: Int32,
        id: String,
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: ProtobufMap<String>
    ) {
        self.number = number
        self.id = id
        self.name = name
        self.description = description
        self.ownerEmail = ownerEmail
        self.retention = retention
        self.data = data
    }
}

/// The namespaces of this installation.
public protocol NamespaceDirectory: Sendable {
    /// The namespace with this name, from memory.
    ///
    /// - Throws: `notFound` with the namespace's name.
    func namespace(named name: String) throws(RequestError) -> NamespaceRecord
    /// The namespace with this number, or nil when it is unknown.
    func namespace(numbered number: Int32) -> NamespaceRecord?
    /// Every namespace of the installation.
    func list() -> [NamespaceRecord]
    /// Creates a namespace, and returns when it is durable. Blocks.
    ///
    /// - Throws: `alreadyExists`, `invalidArgument`, `unavailable`.
    func register(
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: ProtobufMap<String>
    ) throws(RequestError) -> NamespaceRecord
}
