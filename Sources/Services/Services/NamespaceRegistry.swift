public import SagamoreEngine

/// What is known of a namespace.
public struct NamespaceRecord: Sendable, Equatable {
    /// The number by which all rows name it.
    public let number: Int32
    /// The id that clients see, a UUID.
    public let id: String
    public let name: String
    public let description: String
    public let ownerEmail: String
    /// How long closed runs are kept.
    public let retention: Interval
    public let data: [String: String]

    public init(
        number: Int32,
        id: String,
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: [String: String]
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
    func namespace(numbered number: Int32) -> NamespaceRecord?
    func list() -> [NamespaceRecord]
    /// Makes a namespace durable. Blocks: not for completion threads.
    ///
    /// - Throws: `alreadyExists`, `invalidArgument`, `unavailable`.
    func register(
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: [String: String]
    ) throws(RequestError) -> NamespaceRecord
}
