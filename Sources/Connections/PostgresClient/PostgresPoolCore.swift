internal import SagamoreThreads

/// What a pool's threads share. They hold it, and not the pool, so that a pool that is let go ends.
final class PostgresPoolCore: Sendable {
    struct Job: Sendable {
        /// Runs on a live connection and completes.
        let run: @Sendable (PostgresConnection) -> Void
        /// Completes without having run.
        let refuse: @Sendable (PostgresError) -> Void
    }

    private struct State {
        var queue: [Job] = []
        /// Taken from the queue's front already; they are removed in bulk.
        var taken = 0
        var shutdown: PostgresPool.Shutdown?
        var connected = 0
        var handles: [PostgresCancelHandle?]
        var threads: [SystemThread] = []

        var queuedCount: Int { queue.count - taken }

        /// Empties the queue.
        mutating func takeAll() -> [Job] {
            let jobs = Array(queue[taken...])
            queue = []
            taken = 0
            return jobs
        }
    }

    private let configuration: PostgresPool.Configuration
    private let onEvent: @Sendable (PostgresPool.Event) -> Void
    private let state: Monitor<State>

    init(_ configuration: PostgresPool.Configuration, onEvent: @escaping @Sendable (PostgresPool.Event) -> Void) {
        self.configuration = configuration
        self.onEvent = onEvent
        state = Monitor(State(handles: Array(repeating: nil, count: configuration.threads)))
    }

    func start() {
        for index in 0..<configuration.threads {
            do throws(ThreadError) {
                let thread = try SystemThread("postgres-\(index)") { self.run(index) }
                state.withLock { $0.threads.append(thread) }
            } catch {
                let error = PostgresError(.cannotConnect, error.description)
                onEvent(.cannotConnect(thread: index, error, retryAfter: .zero))
            }
        }
        // Without any thread nothing would ever complete.
        if state.withLock({ $0.threads.isEmpty }) { requestShutdown(.interrupt) }
    }

    var queuedCount: Int { state.withLock { $0.queuedCount } }
    var connectedCount: Int { state.withLock { $0.connected } }

    func submit(_ job: Job) -> Bool {
        // All are woken: a single one might be a thread that waits before it connects again.
        state.change { state in
            guard state.shutdown == nil, state.queuedCount < configuration.queueLimit else { return false }
            state.queue.append(job)
            return true
        }
    }

    func requestShutdown(_ kind: PostgresPool.Shutdown) {
        let (refused, interrupted) = state.change { state in
            state.shutdown = kind
            switch kind {
            case .drain: return ([Job](), [PostgresCancelHandle]())
            case .finishRunning: return (state.takeAll(), [])
            case .interrupt: return (state.takeAll(), state.handles.compactMap { $0 })
            }
        }
        for handle in interrupted { handle.interrupt() }
        for job in refused { job.refuse(PostgresError(.shutDown, "the pool is shut down")) }
    }

    func join() {
        let threads = state.withLock { state in
            defer { state.threads = [] }
            return state.threads
        }
        for thread in threads { thread.join() }
    }

    // MARK: - On the threads

    private func run(_ index: Int) {
        var backoff = configuration.backoff
        while let connection = connect(index, &backoff) {
            backoff.reset()
            while let job = nextJob() {
                // The server may have restarted while this thread was idle: that is not the job's concern.
                if !connection.isReadyForWork, (try? connection.reconnect()) == nil {
                    putBack(job)
                    break
                }
                job.run(connection)
                if !connection.isReadyForWork { break }
            }
            connection.close()
            state.withLock { state in
                state.connected -= 1
                state.handles[index] = nil
            }
            onEvent(.disconnected(thread: index))
        }
    }

    /// A connection, after as many attempts as it takes; nil when the pool is shut down.
    private func connect(_ index: Int, _ backoff: inout Backoff) -> PostgresConnection? {
        while !isFinished {
            do throws(PostgresError) {
                let connection = try PostgresConnection(
                    configuration.url,
                    applicationName: configuration.applicationName,
                    sessionSettings: configuration.sessionSettings
                )
                let isInterrupted = state.withLock { state in
                    state.connected += 1
                    state.handles[index] = connection.cancelHandle
                    return state.shutdown == .interrupt
                }
                if isInterrupted { connection.cancelHandle.interrupt() }
                onEvent(.connected(thread: index, backendProcessID: connection.backendProcessID))
                return connection
            } catch {
                let delay = backoff.next()
                let refused = state.withLock { $0.connected == 0 ? $0.takeAll() : [] }
                for job in refused { job.refuse(error) }
                onEvent(.cannotConnect(thread: index, error, retryAfter: delay))
                let isShutDown = state.wait(atMost: delay, for: { $0.shutdown }) != nil
                // What is queued still belongs to the threads that are connected, if there are any.
                let leftOver = isShutDown ? state.withLock { $0.connected == 0 ? $0.takeAll() : [] } : []
                for job in leftOver { job.refuse(error) }
                if isShutDown { return nil }
            }
        }
        return nil
    }

    /// Whether there is nothing left to do.
    private var isFinished: Bool { state.withLock { $0.shutdown != nil && $0.queuedCount == 0 } }

    /// The next job; waits for one. Nil when the pool is shut down.
    private func nextJob() -> Job? {
        state.wait { state -> Job?? in
            guard state.queuedCount > 0 else { return state.shutdown == nil ? nil : .some(nil) }
            let job = state.queue[state.taken]
            state.taken += 1
            if state.queuedCount == 0 || state.taken >= 256 {
                state.queue.removeFirst(state.taken)
                state.taken = 0
            }
            return job
        }
    }

    /// A job could not be started: it waits at the front, unless the pool takes no more.
    private func putBack(_ job: Job) {
        let isRefused = state.change { state in
            if let shutdown = state.shutdown, shutdown != .drain { return true }
            state.queue.removeFirst(state.taken)
            state.taken = 0
            state.queue.insert(job, at: 0)
            return false
        }
        if isRefused { job.refuse(PostgresError(.shutDown, "the pool is shut down")) }
    }
}
