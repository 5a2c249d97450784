internal import SagamoreThreads

/// Threads for activities, one each, so that users' code may block: a thread is started when all others are taken, and
/// used again afterwards. How many there may be is up to the caller.
final class ActivityThreads: Sendable {
    private struct State {
        var idle: [ActivityExecutor] = []
        var isStopped = false
    }

    private let state = Locked(State())

    /// Runs `body`, and everything that it awaits without an executor of its own, on a thread of its own.
    ///
    /// - Throws: when the system refuses a thread; `body` does not run then.
    @discardableResult
    func run(_ body: @escaping @Sendable () async -> Void) throws(ThreadError) -> Task<Void, Never> {
        let executor: ActivityExecutor
        if let idle = state.withLock({ $0.idle.popLast() }) {
            executor = idle
        } else {
            executor = try ActivityExecutor()
        }
        return Task(executorPreference: executor) {
            await body()
            let isStopped = self.state.withLock { state in
                if !state.isStopped { state.idle.append(executor) }
                return state.isStopped
            }
            if isStopped { executor.close() }
        }
    }

    /// Lets idle threads end now, and others when their activity has ended.
    func stop() {
        let idle = state.withLock { state in
            state.isStopped = true
            defer { state.idle = [] }
            return state.idle
        }
        for executor in idle { executor.close() }
    }
}

/// One thread as an executor.
private final class ActivityExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isClosed = false
    }

    private let state = Monitor(State())

    init() throws(ThreadError) {
        _ = try SystemThread("activity", signals: .inherited) { [self] in
            while let jobs = next() {
                for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isClosed = state.changeForOne { state in
            if !state.isClosed { state.jobs.append(job) }
            return state.isClosed
        }
        // What an activity has left behind that still wants to run.
        guard isClosed else { return }
        let run: @Sendable () -> Void = { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        if (try? SystemThread("activity-rest", signals: .inherited, run)) == nil { run() }
    }

    /// The thread ends when it has nothing to do.
    func close() { state.change { $0.isClosed = true } }

    private func next() -> [UnownedJob]? {
        state.wait { state -> [UnownedJob]?? in
            if !state.jobs.isEmpty {
                defer { state.jobs.removeAll(keepingCapacity: true) }
                return .some(state.jobs)
            }
            return state.isClosed ? .some(nil) : nil
        }
    }
}
