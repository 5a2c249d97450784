public import SagamoreEngine
public import SagamoreProtobuf

/// What is known of a namespace.
public struct NamespaceRecord: Sendable, Equatable {
    /// The number by which all rows name it.
    public let number: Int32
    /// The id that clients see, a UUID.
    public let id: String
    /// The name, unique in the installation.
    public let name: String
    /// A sentence for people.
    public let description: String
    /// An address for people to write to.
    public let ownerEmail: String
    /// How long closed runs are kept.
    public let retention: Interval
    /// Free data that clients stored with the namespace.
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
    /// Quick: from memory.
    ///
    /// - Throws: `notFound` with the namespace's name.
    func namespace(named name: String) throws(RequestError) -> NamespaceRecord
    /// The namespace with this number, or nil when it is unknown.
    func namespace(numbered number: Int32) -> NamespaceRecord?
    /// Every namespace of the installation.
    func list() -> [NamespaceRecord]
    /// Makes a namespace durable. Blocks: not for completion threads.
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
