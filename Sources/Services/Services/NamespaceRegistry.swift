public import SagamoreAPI
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
    /// Whether workflows may be started in it, and whether anything can be done in it.
    public let state: NamespaceState
    /// Whether it was deleted and renamed. Its runs are being deleted.
    public let isDeleted: Bool
    /// What search attributes its workflows may set.
    public let searchAttributes: SearchAttributeCatalog

    public init(
        number: Int32,
        id: String,
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: ProtobufMap<String>,
        state: NamespaceState = .registered,
        isDeleted: Bool = false,
        searchAttributes: [SearchAttribute] = []
    ) {
        self.searchAttributes = SearchAttributeCatalog(namespace: name, searchAttributes)
        self.number = number
        self.id = id
        self.name = name
        self.description = description
        self.ownerEmail = ownerEmail
        self.retention = retention
        self.data = data
        self.state = state
        self.isDeleted = isDeleted
    }
}

/// A change of a namespace; nil keeps what is there.
public struct NamespaceChange: Sendable, Equatable {
    /// A new description.
    public var description: String?
    /// A new contact address.
    public var ownerEmail: String?
    /// Data to add to what is there; equal keys are replaced.
    public var data = ProtobufMap<String>()
    /// A new retention. It applies to runs that are closed already, too.
    public var retention: Interval?
    /// A new state.
    public var state: NamespaceState?

    /// A change of nothing.
    public init() {}

    /// The record with this change.
    public func applied(to record: NamespaceRecord) -> NamespaceRecord {
        NamespaceRecord(
            number: record.number,
            id: record.id,
            name: record.name,
            description: description ?? record.description,
            ownerEmail: ownerEmail ?? record.ownerEmail,
            retention: retention ?? record.retention,
            data: record.data.merging(data),
            state: state ?? record.state,
            isDeleted: record.isDeleted,
            searchAttributes: record.searchAttributes.ownAttributes
        )
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

/// The namespaces of this installation, and their changes. Each call blocks, and returns when the change is durable.
public protocol NamespaceRegistry: NamespaceDirectory {
    /// Changes a namespace, and returns it as it is then.
    ///
    /// - Throws: `notFound` with the namespace's name, `unavailable`.
    func update(_ name: String, _ change: NamespaceChange) throws(RequestError) -> NamespaceRecord
    /// Deletes a namespace: it gets another name at once, and its runs are deleted later. One that was deleted before
    /// is returned as it is.
    ///
    /// - Throws: `notFound` with the namespace's name, `unavailable`.
    func delete(_ name: String) throws(RequestError) -> NamespaceRecord
    /// Adds search attributes to a namespace, all or none, and returns the namespace as it is then.
    ///
    /// - Throws: `notFound` with the namespace's name, `alreadyExists` with the attribute's, `unavailable`.
    func addSearchAttributes(
        _ attributes: [(name: String, type: SearchAttributeType)],
        to name: String
    ) throws(RequestError) -> NamespaceRecord
    /// Removes search attributes of a namespace, all or none. Their values are found no more, also after others of the
    /// same name were added.
    ///
    /// - Throws: `notFound` with the namespace's or the attribute's name, `unavailable`.
    func removeSearchAttributes(_ names: [String], from name: String) throws(RequestError) -> NamespaceRecord
    /// Reads all namespaces again: other processes change them, too, and deleted ones disappear.
    ///
    /// - Throws: `unavailable` when they cannot be read now; what was known stays.
    func refresh() throws(RequestError)
}
