internal import SagamoreThreads

/// Threads for activities, one each, so that user code may block. A thread is started when all others are busy, and is
/// reused afterwards. The caller limits their number.
final class ActivityThreads: Sendable {
    private struct State {
        var idle: [ActivityExecutor] = []
        var isStopped = false
    }

    private let state = Locked(State())

    /// Runs `body`, and everything it awaits that has no executor of its own, on a dedicated thread.
    ///
    /// - Throws: when no thread can be created; `body` does not run then.
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

    /// Ends idle threads now, and busy ones when their activity has ended.
    func stop() {
        let idle = state.withLock { state in
            state.isStopped = true
            defer { state.idle = [] }
            return state.idle
        }
        for executor in idle { executor.close() }
    }
}

/// An executor with one thread.
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
        // A job that an activity left behind.
        guard isClosed else { return }
        let run: @Sendable () -> Void = { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        if (try? SystemThread("activity-rest", signals: .inherited, run)) == nil { run() }
    }

    /// Ends the thread when it has no more jobs.
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
