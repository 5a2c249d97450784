public import SagamoreEngine
internal import SagamorePostgresClient
public import SagamoreProtobuf
public import SagamoreServices
internal import SagamoreThreads

/// The namespaces of this installation: a table of PostgreSQL, read from memory.
///
/// Lookups never leave memory. What other processes register is seen at the next `refresh()`.
public final class PostgresNamespaceDirectory: NamespaceDirectory {
    fileprivate struct State {
        var byName: [ExactText: NamespaceRecord] = [:]
        var byNumber: [Int32: NamespaceRecord] = [:]
    }

    private let connect: @Sendable () throws(PostgresError) -> PostgresConnection
    private let state = Locked(State())

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
            throw RequestError(
                .notFound,
                "Namespace \(name) is not found.",
                detail: .namespaceNotFound(name)
            )
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
            try refresh()
            throw RequestError(
                .alreadyExists,
                "Namespace \"\(name)\" already exists",
                detail: .namespaceAlreadyExists
            )
        }
        state.withLock { $0.add(record) }
        return record
    }

    /// Reads all namespaces again. Blocks.
    ///
    /// - Throws: `unavailable` when the database can't be read now; what was known stays.
    public func refresh() throws(RequestError) {
        let records = try attempt { (connection) throws(PostgresError) in
            NamespaceRows.records(try connection.query(NamespaceRows.select))
        }
        state.withLock { state in
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
}
