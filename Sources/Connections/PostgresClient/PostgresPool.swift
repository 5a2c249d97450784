public import SagamoreThreads

/// Threads with a PostgreSQL connection each that run jobs from one bounded queue.
///
/// For everything that is not a commit lane. Connections are made when the pool starts and made again, with backoff,
/// when they are lost. While no thread has a connection, what is queued is refused at every failed attempt.
public final class PostgresPool: Sendable {
    /// How a pool is set up.
    public struct Configuration: Sendable {
        /// As for `PostgresConnection`.
        public var url: String
        /// As for `PostgresConnection`.
        public var applicationName: String
        /// As for `PostgresConnection`.
        public var sessionSettings: [(name: String, value: String)] = []
        /// Threads, each with a connection.
        public var threads: Int
        /// Jobs that may wait; one more is refused.
        public var queueLimit: Int
        /// Delays between attempts to connect.
        public var backoff = Backoff(longest: .seconds(5))

        /// `threads` and `queueLimit` are at least 1.
        public init(url: String, applicationName: String, threads: Int = 2, queueLimit: Int = 1_000) {
            self.url = url
            self.applicationName = applicationName
            self.threads = max(threads, 1)
            self.queueLimit = max(queueLimit, 1)
        }
    }

    /// What happens to a thread's connection; for logs and metrics.
    public enum Event: Sendable {
        /// A connection was made.
        case connected(thread: Int, backendProcessID: Int32)
        /// A connection was lost, or left unusable by a job.
        case disconnected(thread: Int)
        /// A connection could not be made; the next attempt is after `retryAfter`.
        case cannotConnect(thread: Int, PostgresError, retryAfter: Duration)
    }

    /// What becomes of the work that is there when the pool is shut down.
    public enum Shutdown: Sendable {
        /// Everything queued runs first, unless there is no connection to run it on.
        case drain
        /// What is queued is refused, what runs goes to its end.
        case finishRunning
        /// What is queued is refused, what runs is interrupted.
        case interrupt
    }

    private let core: PostgresPoolCore

    /// Starts the threads; does not wait for their connections.
    ///
    /// - Parameter onEvent: called on the pool's threads; must not block.
    public init(_ configuration: Configuration, onEvent: @escaping @Sendable (Event) -> Void = { _ in }) {
        core = PostgresPoolCore(configuration, onEvent: onEvent)
        core.start()
    }

    deinit { core.requestShutdown(.finishRunning) }

    /// Queues a job. False when the queue is full or the pool is shut down: then neither closure is ever called.
    ///
    /// `completion` is called exactly once, on the pool's thread: with what `job` returned or threw, or with the error
    /// for which it did not run (`.cannotConnect`, `.shutDown`). A job that leaves a transaction open loses the
    /// connection.
    public func submit<Value: Sendable>(
        _ job: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value,
        completion: @escaping @Sendable (Result<Value, PostgresError>) -> Void
    ) -> Bool {
        core.submit(
            PostgresPoolCore.Job(
                run: { connection in
                    do throws(PostgresError) {
                        completion(.success(try job(connection)))
                    } catch {
                        completion(.failure(error))
                    }
                },
                refuse: { error in completion(.failure(error)) }
            )
        )
    }

    /// The same for `async` callers; throws `.usage` with SQLSTATE 53000 (resources) when the queue is full.
    public func run<Value: Sendable>(
        _ job: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let result = await withCheckedContinuation { continuation in
            if !submit(job, completion: { continuation.resume(returning: $0) }) {
                let error = PostgresError(
                    .usage,
                    "the queue of the pool is full, or it is shut down",
                    sqlState: "53000"
                )
                continuation.resume(returning: Result<Value, PostgresError>.failure(error))
            }
        }
        return try result.get()
    }

    /// Jobs that wait at this moment.
    public var queuedCount: Int { core.queuedCount }

    /// Threads that have a connection at this moment.
    public var connectedCount: Int { core.connectedCount }

    /// Stops the pool and waits for its threads. Must not be called from a job. Safe to repeat.
    public func shutdown(_ shutdown: Shutdown = .drain) {
        core.requestShutdown(shutdown)
        core.join()
    }
}
