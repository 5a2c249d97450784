public import SagamoreEngine
internal import SagamorePostgresClient
public import SagamoreProtobuf
public import SagamoreServices
internal import SagamoreThreads

/// The namespaces of this installation: a table of PostgreSQL, read from memory.
///
/// Lookups never leave memory. What other processes change is seen at the next `refresh()`. Changes block, and are made
/// one after the other, so that memory never falls behind what was read.
public final class PostgresNamespaceDirectory: NamespaceDirectory, NamespaceRegistry {
    fileprivate struct State {
        var byName: [ExactText: NamespaceRecord] = [:]
        var byNumber: [Int32: NamespaceRecord] = [:]
    }

    private let connect: @Sendable () throws(PostgresError) -> PostgresConnection
    private let state = Locked(State())
    /// Held while the table is read or changed.
    private let changes = ThreadLock()
    /// A struct around the closure: a lock around the closure itself would wrap it once more with each access.
    private struct Listener {
        var onDeletion: (@Sendable () -> Void)?
    }

    private let deleted = Locked(Listener())

    /// Reads all namespaces.
    ///
    /// Connections are made when they are needed: namespaces are registered rarely.
    ///
    /// - Parameter url: where the migrated database is, as libpq reads it.
    /// - Throws: `unavailable` when the database can't be read now.
    public init(url: String) throws(RequestError) {
        connect = { () throws(PostgresError) in
            try PostgresConnection(url, applicationName: "sagamore namespaces")
        }
        try refresh()
    }

    public func namespace(named name: String) throws(RequestError) -> NamespaceRecord {
        guard let record = state.withLock({ $0.byName[ExactText(name)] }) else {
            throw .namespaceNotFound(name)
        }
        return record
    }

    public func namespace(numbered number: Int32) -> NamespaceRecord? {
        state.withLock { $0.byNumber[number] }
    }

    /// All namespaces, the oldest first.
    public func list() -> [NamespaceRecord] {
        state.withLock { $0.byNumber.values.sorted { $0.number < $1.number } }
    }

    public func register(
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: ProtobufMap<String>
    ) throws(RequestError) -> NamespaceRecord {
        guard !name.isEmpty else { throw .invalidArgument("Namespace not set on request.") }
        changes.lock()
        defer { changes.unlock() }
        let record = try attempt { (connection) throws(PostgresError) -> NamespaceRecord? in
            let values = NamespaceRows.values(name, description, ownerEmail, retention, data)
            let rows = try connection.query(NamespaceRows.insert, values)
            guard rows.rowCount == 1 else { return nil }
            return NamespaceRecord(
                number: rows.int32(0, 0),
                id: rows.text(0, 1),
                name: name,
                description: description,
                ownerEmail: ownerEmail,
                retention: retention,
                data: data
            )
        }
        guard let record else {
            try readAll()
            throw RequestError(
                .alreadyExists,
                "Namespace \"\(name)\" already exists",
                detail: .namespaceAlreadyExists
            )
        }
        state.withLock { $0.add(record) }
        return record
    }

    public func update(_ name: String, _ change: NamespaceChange) throws(RequestError) -> NamespaceRecord {
        changes.lock()
        defer { changes.unlock() }
        // Merged with what is stored, which another process may have changed.
        try readAll()
        let changed = change.applied(to: try namespace(named: name))
        let isStored = try attempt { (connection) throws(PostgresError) in
            try connection.query(NamespaceRows.update, NamespaceRows.values(of: changed)).rowCount == 1
        }
        guard isStored else { throw .namespaceNotFound(name) }
        state.withLock { $0.add(changed) }
        return changed
    }

    public func delete(_ name: String) throws(RequestError) -> NamespaceRecord {
        changes.lock()
        defer { changes.unlock() }
        try readAll()
        let record = try namespace(named: name)
        if record.isDeleted { return record }
        let newName = state.withLock { $0.unusedName(forDeleted: record) }
        let isStored = try attempt { (connection) throws(PostgresError) in
            try connection.query(NamespaceRows.delete, [.int32(record.number), .text(newName)]).rowCount == 1
        }
        guard isStored else { throw .namespaceNotFound(name) }
        try readAll()
        deleted.withLock { $0.onDeletion }?()
        return try namespace(named: newName)
    }

    public func addSearchAttributes(
        _ attributes: [(name: String, type: SearchAttributeType)],
        to name: String
    ) throws(RequestError) -> NamespaceRecord {
        changes.lock()
        defer { changes.unlock() }
        try readAll()
        let record = try namespace(named: name)
        let known = record.searchAttributes
        if let taken = attributes.first(where: { known[$0.name] != nil }) {
            throw RequestError(.alreadyExists, "Search attribute \(taken.name) already exists.")
        }
        var names = PostgresArray(of: .text, capacity: attributes.count)
        var types = PostgresArray(of: .int32, capacity: attributes.count)
        for attribute in attributes {
            names.append(attribute.name)
            types.append(attribute.type.rawValue)
        }
        let isAdded = try attempt { (connection) throws(PostgresError) in
            let values: [PostgresValue] = [.int32(record.number), .array(names), .array(types)]
            return try connection.query(NamespaceRows.addAttributes, values).rowCount == attributes.count
        }
        try readAll()
        guard isAdded else { throw .unavailable("another process has changed the search attributes; try again") }
        return try namespace(named: name)
    }

    public func removeSearchAttributes(_ names: [String], from name: String) throws(RequestError) -> NamespaceRecord {
        changes.lock()
        defer { changes.unlock() }
        try readAll()
        let record = try namespace(named: name)
        let known = Set(record.searchAttributes.ownAttributes.map(\.name))
        if let missing = names.first(where: { !known.contains($0) }) {
            throw RequestError(.notFound, "Search attribute \(missing) doesn't exist.")
        }
        var array = PostgresArray(of: .text, capacity: names.count)
        for name in names { array.append(name) }
        try attempt { (connection) throws(PostgresError) in
            _ = try connection.query(NamespaceRows.removeAttributes, [.int32(record.number), .array(array)])
        }
        try readAll()
        return try namespace(named: name)
    }

    /// Calls `body` after each deletion.
    public func onDeletion(_ body: @escaping @Sendable () -> Void) {
        deleted.withLock { $0.onDeletion = body }
    }

    /// Reads all namespaces again. Blocks.
    ///
    /// - Throws: `unavailable` when the database can't be read now; what was known stays.
    public func refresh() throws(RequestError) {
        changes.lock()
        defer { changes.unlock() }
        try readAll()
    }

    private func readAll() throws(RequestError) {
        let records = try attempt { (connection) throws(PostgresError) in
            let attributes = NamespaceRows.attributes(try connection.query(NamespaceRows.selectAttributes))
            return NamespaceRows.records(try connection.query(NamespaceRows.select), attributes)
        }
        state.withLock { state in
            state = State()
            for record in records { state.add(record) }
        }
    }

    private func attempt<Value>(
        _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(RequestError) -> Value {
        do throws(PostgresError) {
            let connection = try connect()
            defer { connection.close() }
            return try body(connection)
        } catch {
            if error.isDataError { throw .invalidArgument("failed to store the namespace: \(error.message)") }
            if error.isTransient || error.code == .outcomeUnknown {
                throw .unavailable("failed to reach the namespaces: \(error.message)")
            }
            throw RequestError(.internalError, "failed to read or write namespaces: \(error)")
        }
    }
}

extension PostgresNamespaceDirectory.State {
    fileprivate mutating func add(_ record: NamespaceRecord) {
        byName[ExactText(record.name)] = record
        byNumber[record.number] = record
    }

    /// The name that a namespace gets with its deletion: with as much of its id as makes it unique.
    fileprivate func unusedName(forDeleted record: NamespaceRecord) -> String {
        let names = (5...record.id.count).map { "\(record.name)-deleted-\(record.id.prefix($0))" }
        return names.first { byName[ExactText($0)] == nil } ?? "\(record.name)-deleted-\(record.id)"
    }
}
