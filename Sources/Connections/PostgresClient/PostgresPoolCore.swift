/// What a pool's threads share. They hold it, and not the pool, so that a pool that is let go ends.
final class PostgresPoolCore: @unchecked Sendable {
    struct Job: Sendable {
        /// Runs on a live connection and completes.
        let run: @Sendable (PostgresConnection) -> Void
        /// Completes without having run.
        let refuse: @Sendable (PostgresError) -> Void
    }

    private let configuration: PostgresPool.Configuration
    private let random: @Sendable () -> Double
    private let onEvent: @Sendable (PostgresPool.Event) -> Void

    /// Guards all that follows.
    private let lock = WaitableLock()
    private var queue: [Job] = []
    /// Taken from the queue's front already; they are removed in bulk.
    private var taken = 0
    private var shutdown: PostgresPool.Shutdown?
    private var connected = 0
    private var handles: [PostgresCancelHandle?]
    private var threads: [JoinableThread] = []

    init(
        _ configuration: PostgresPool.Configuration,
        random: @escaping @Sendable () -> Double,
        onEvent: @escaping @Sendable (PostgresPool.Event) -> Void
    ) {
        self.configuration = configuration
        self.random = random
        self.onEvent = onEvent
        handles = Array(repeating: nil, count: configuration.threads)
    }

    func start() {
        for index in 0..<configuration.threads {
            guard let thread = JoinableThread(name: "postgres-\(index)", { self.run(index) }) else {
                let error = PostgresError(.cannotConnect, "no thread can be started")
                onEvent(.cannotConnect(thread: index, error, retryAfter: .zero))
                continue
            }
            lock.withLock { threads.append(thread) }
        }
        // Without any thread nothing would ever complete.
        if lock.withLock({ threads.isEmpty }) { requestShutdown(.interrupt) }
    }

    var queuedCount: Int { lock.withLock { queue.count - taken } }
    var connectedCount: Int { lock.withLock { connected } }

    func submit(_ job: Job) -> Bool {
        lock.withLock {
            guard shutdown == nil, queue.count - taken < configuration.queueLimit else { return false }
            queue.append(job)
            // Not for one: it might be a thread that waits before it connects again.
            lock.broadcast()
            return true
        }
    }

    func requestShutdown(_ kind: PostgresPool.Shutdown) {
        let (refused, interrupted) = lock.withLock {
            shutdown = kind
            lock.broadcast()
            switch kind {
            case .drain: return ([Job](), [PostgresCancelHandle]())
            case .finishRunning: return (takeAll(), [])
            case .interrupt: return (takeAll(), handles.compactMap { $0 })
            }
        }
        for handle in interrupted { handle.interrupt() }
        for job in refused { job.refuse(PostgresError(.shutDown, "the pool is shut down")) }
    }

    func join() {
        let threads = lock.withLock {
            defer { self.threads = [] }
            return self.threads
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
            lock.withLock {
                connected -= 1
                handles[index] = nil
            }
            onEvent(.disconnected(thread: index))
        }
    }

    /// A connection, after as many attempts as it takes; nil when the pool is shut down.
    private func connect(_ index: Int, _ backoff: inout PostgresBackoff) -> PostgresConnection? {
        while !isFinished {
            do throws(PostgresError) {
                let connection = try PostgresConnection(
                    configuration.url,
                    applicationName: configuration.applicationName,
                    sessionSettings: configuration.sessionSettings
                )
                let isInterrupted = lock.withLock {
                    connected += 1
                    handles[index] = connection.cancelHandle
                    return shutdown == .interrupt
                }
                if isInterrupted { connection.cancelHandle.interrupt() }
                onEvent(.connected(thread: index, backendProcessID: connection.backendProcessID))
                return connection
            } catch {
                let delay = backoff.next(jitter: random())
                let refused = lock.withLock { connected == 0 ? takeAll() : [] }
                for job in refused { job.refuse(error) }
                onEvent(.cannotConnect(thread: index, error, retryAfter: delay))
                let deadline = MonotonicTime.now + delay
                let (isShutDown, leftOver) = lock.withLock {
                    while shutdown == nil, MonotonicTime.now < deadline { lock.wait(until: deadline) }
                    // What is queued still belongs to the threads that are connected, if there are any.
                    return (shutdown != nil, shutdown != nil && connected == 0 ? takeAll() : [])
                }
                for job in leftOver { job.refuse(error) }
                if isShutDown { return nil }
            }
        }
        return nil
    }

    /// Whether there is nothing left to do.
    private var isFinished: Bool { lock.withLock { shutdown != nil && queue.count == taken } }

    /// The next job; waits for one. Nil when the pool is shut down.
    private func nextJob() -> Job? {
        lock.withLock {
            while queue.count == taken {
                if shutdown != nil { return nil }
                lock.wait()
            }
            let job = queue[taken]
            taken += 1
            if taken == queue.count || taken >= 256 {
                queue.removeFirst(taken)
                taken = 0
            }
            return job
        }
    }

    /// A job could not be started: it waits at the front, unless the pool takes no more.
    private func putBack(_ job: Job) {
        let isRefused = lock.withLock {
            if let shutdown, shutdown != .drain { return true }
            queue.removeFirst(taken)
            taken = 0
            queue.insert(job, at: 0)
            lock.broadcast()
            return false
        }
        if isRefused { job.refuse(PostgresError(.shutDown, "the pool is shut down")) }
    }

    /// Empties the queue. Under the lock.
    private func takeAll() -> [Job] {
        let jobs = Array(queue[taken...])
        queue = []
        taken = 0
        return jobs
    }
}
