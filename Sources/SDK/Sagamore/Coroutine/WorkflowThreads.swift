internal import SagamoreThreads

/// The threads that run workflow code, and the watchdog over them.
///
/// Code that runs longer than the limit without waiting holds its thread: the thread is given up and counted, another
/// takes its place, and somebody else answers for the job. The lost thread ends when the code ever lets it go.
final class WorkflowThreads: Sendable {
    /// Something to do on one of the threads.
    struct Job: Sendable {
        /// Does it, and returns how to answer. The answer is not given when the thread was given up meanwhile.
        let work: @Sendable () -> (@Sendable () -> Void)
        /// Answers instead, on the watchdog's thread, which it must not block.
        let onOverrun: @Sendable () -> Void
    }

    private struct Running {
        let job: Job
        let since: ContinuousClock.Instant
    }

    private struct State {
        var jobs: [Job] = []
        /// The threads that do something, by their numbers.
        var running: [Int: Running] = [:]
        var threads = 0
        var nextThread = 0
        var givenUp = 0
        var isStopped = false
    }

    /// Workflow code waits within microseconds, unless it loops.
    static let limit = Duration.seconds(2)

    private let state = Monitor(State())

    /// - Parameters:
    ///   - count: how many threads there are, apart from those that were given up.
    ///   - limit: how long a job may take.
    init(count: Int, limit: Duration = WorkflowThreads.limit) {
        for _ in 0..<count { Self.startThread(state) }
        let state = state
        _ = SystemThread.required("workflow-watch") { Self.watch(state, limit) }
    }

    deinit { stop() }

    /// How many threads were given up.
    var givenUp: Int { state.withLock { $0.givenUp } }

    /// How many threads there are, apart from those that were given up.
    var threads: Int { state.withLock { $0.threads } }

    /// Leaves a job for the next free thread.
    func submit(_ job: Job) {
        state.changeForOne { $0.jobs.append(job) }
    }

    /// Lets the threads end once all jobs are done. Does not wait.
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

    /// Looks in from time to time, four times within the limit: waking it for every job would cost more than the job.
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

    /// Takes the jobs that have run too long away from their threads.
    private static func takeOverrun(_ state: inout State, _ limit: Duration) -> [Job] {
        let now = ContinuousClock.now
        let late = state.running.filter { $0.value.since.duration(to: now) > limit }
        for number in late.keys { state.running[number] = nil }
        state.givenUp += late.count
        state.threads -= late.count
        return late.values.map(\.job)
    }
}
