internal import SagamoreThreads

/// The threads that run workflow code, supervised by a watchdog.
///
/// When code runs longer than the limit without waiting, its thread is abandoned and counted, a new one replaces it,
/// and the watchdog answers for the job. An abandoned thread ends if its code ever returns.
final class WorkflowThreads: Sendable {
    /// A unit of work for one of the threads.
    struct Job: Sendable {
        /// Does the work and returns a function that answers, which is dropped when the thread was abandoned meanwhile.
        let work: @Sendable () -> (@Sendable () -> Void)
        /// Answers instead when the thread was abandoned. Must not block: it runs on the watchdog's thread.
        let onOverrun: @Sendable () -> Void
    }

    private struct Running {
        let job: Job
        let since: ContinuousClock.Instant
    }

    private struct State {
        var jobs: [Job] = []
        /// The running jobs by thread number.
        var running: [Int: Running] = [:]
        var threads = 0
        var nextThread = 0
        var abandoned = 0
        var isStopped = false
    }

    /// The default limit. Workflow code usually waits within microseconds.
    static let limit = Duration.seconds(2)

    private let state = Monitor(State())

    /// - Parameters:
    ///   - count: the number of threads, without abandoned ones.
    ///   - limit: the longest time for a job.
    init(count: Int, limit: Duration = WorkflowThreads.limit) {
        for _ in 0..<count { Self.startThread(state) }
        let state = state
        _ = SystemThread.required("workflow-watch") { Self.watch(state, limit) }
    }

    deinit { stop() }

    /// The number of abandoned threads.
    var abandoned: Int { state.withLock { $0.abandoned } }

    /// The number of threads, without abandoned ones.
    var threads: Int { state.withLock { $0.threads } }

    /// Queues a job.
    func submit(_ job: Job) {
        state.changeForOne { $0.jobs.append(job) }
    }

    /// Ends the threads when all jobs are done. Does not wait.
    func stop() {
        state.change { $0.isStopped = true }
    }

    // MARK: A thread

    private static func startThread(_ state: Monitor<State>) {
        let number = state.withLock { state in
            state.threads += 1
            state.nextThread += 1
            return state.nextThread
        }
        _ = SystemThread.required("workflow-\(number)") {
            while let job = next(number, state) {
                let answer = job.work()
                let isMine = state.withLock { $0.running.removeValue(forKey: number) != nil }
                guard isMine else { return }
                answer()
            }
        }
    }

    private static func next(_ number: Int, _ state: Monitor<State>) -> Job? {
        state.wait { state -> Job?? in
            if !state.jobs.isEmpty {
                let job = state.jobs.removeFirst()
                state.running[number] = Running(job: job, since: .now)
                return .some(job)
            }
            guard state.isStopped else { return nil }
            state.threads -= 1
            return .some(nil)
        }
    }

    // MARK: The watchdog

    /// Checks four times per limit. Waking it for every job would cost more than the job.
    private static func watch(_ state: Monitor<State>, _ limit: Duration) {
        while true {
            SystemThread.sleep(limit / 4)
            let (overrun, isOver) = state.withLock { state in
                (takeOverrun(&state, limit), state.isStopped && state.jobs.isEmpty && state.running.isEmpty)
            }
            for job in overrun {
                startThread(state)
                job.onOverrun()
            }
            if isOver { return }
        }
    }

    /// Removes and returns the jobs that exceeded the limit.
    private static func takeOverrun(_ state: inout State, _ limit: Duration) -> [Job] {
        let now = ContinuousClock.now
        let late = state.running.filter { $0.value.since.duration(to: now) > limit }
        for number in late.keys { state.running[number] = nil }
        state.abandoned += late.count
        state.threads -= late.count
        return late.values.map(\.job)
    }
}
