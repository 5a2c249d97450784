public import SagamoreAPI
public import SagamoreEngine
internal import SagamorePostgresClient
public import SagamoreServices

/// The settings of task queues: a table of PostgreSQL. Connections are made when they are needed, since settings are
/// changed rarely.
public struct PostgresTaskQueueSettings: TaskQueueSettingsStore {
    private let connect: @Sendable () throws(PostgresError) -> PostgresConnection

    /// - Parameter url: where the migrated database is, as libpq reads it.
    public init(url: String) {
        connect = { () throws(PostgresError) in
            try PostgresConnection(url, applicationName: "sagamore task queues")
        }
    }

    private static let select = PostgresStatement(
        "load_task_queues",
        "select queue, settings from sagamore.task_queues",
        readsOnly: true
    )
    private static let upsert = PostgresStatement(
        "store_task_queue",
        """
        insert into sagamore.task_queues (queue, settings) values ($1, $2)
            on conflict (queue) do update set settings = excluded.settings
        """
    )

    public func load() throws(RequestError) -> [(TaskQueueKey, TaskQueueConfig)] {
        try attempt { (connection) throws(PostgresError) in
            let rows = try connection.query(Self.select)
            return (0..<rows.rowCount).compactMap { number in
                guard let key = TaskQueueKey(storedName: rows.text(number, 0)) else { return nil }
                return (try? TaskQueueConfig(serializedBytes: rows.bytes(number, 1))).map { (key, $0) }
            }
        }
    }

    public func save(_ settings: TaskQueueConfig, of queue: TaskQueueKey) throws(RequestError) {
        let bytes = settings.serializedBytes()
        try attempt { (connection) throws(PostgresError) in
            _ = try connection.query(Self.upsert, [.text(queue.storedName), .bytes(bytes)])
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
            if error.isTransient || error.code == .outcomeUnknown {
                throw .unavailable("failed to reach the settings of task queues: \(error.message)")
            }
            throw RequestError(.internalError, "failed to read or write the settings of task queues: \(error)")
        }
    }
}
