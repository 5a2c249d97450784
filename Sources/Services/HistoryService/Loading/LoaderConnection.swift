internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// A loader thread's connection to PostgreSQL. It is opened when it is needed, and reopened after a failure.
///
/// Used only by its thread.
final class LoaderConnection {
    private let makeStore: @Sendable () throws -> any LoaderStore
    private let log: Logger
    private var store: (any LoaderStore)?
    /// Whether the last read failed. Only the first failure in a row is logged as a warning.
    private var isAway = false

    init(makeStore: @escaping @Sendable () throws -> any LoaderStore, log: Logger) {
        self.makeStore = makeStore
        self.log = log
    }

    func read<Value>(_ body: (any LoaderStore) throws(CommitError) -> Value) -> Result<Value, RequestError> {
        do {
            let store = try self.store ?? makeStore()
            self.store = store
            let value = try body(store)
            if isAway { log.info("PostgreSQL can be read again") }
            isAway = false
            return .success(value)
        } catch {
            // The next read opens a new connection.
            store = nil
            log.log(
                level: isAway ? .debug : .warning,
                "reading from PostgreSQL failed",
                metadata: ["error": "\(error)"]
            )
            isAway = true
            return .failure(.unavailable("PostgreSQL cannot be reached; try again"))
        }
    }
}
