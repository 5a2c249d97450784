internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// A loader thread's connection to PostgreSQL, made when it is needed and made anew after a failure.
///
/// Used by its thread alone.
final class LoaderConnection {
    private let makeStore: @Sendable () throws -> any LoaderStore
    private let log: Logger
    private var store: (any LoaderStore)?
    /// The last read failed. The failure is logged once, at its beginning.
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
            // The next read makes a new connection.
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
