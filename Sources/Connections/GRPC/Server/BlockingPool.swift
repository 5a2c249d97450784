internal import SagamoreThreads

/// A small pool of threads for handlers that may block, behind a bounded queue.
final class BlockingPool: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        /// The index of the first waiting job.
        var head = 0
        var isStopped = false

        var count: Int { waiting.count - head }

        mutating func take() -> (@Sendable () -> Void)? {
            guard head < waiting.count else { return nil }
            let job = waiting[head]
            waiting[head] = {}
            head += 1
            if head == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 256, head * 2 >= waiting.count {
                waiting.removeFirst(head)
                head = 0
            }
            return job
        }
    }

    private let state = Monitor(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Starts the threads.
    ///
    /// - Throws: when the system refuses a thread. Threads that were started end with `stop()`.
    func start(threads: Int) throws(ThreadError) {
        for index in 0..<max(1, threads) {
            _ = try SystemThread("grpc-pool-\(index)") { [state] in
                while true {
                    let job: (@Sendable () -> Void)? = state.wait(for: { state in
                        if let job = state.take() { return .some(job) }
                        return state.isStopped ? .some(nil) : nil
                    })
                    guard let job else { return }
                    job()
                }
            }
        }
    }

    /// Queues a job. Returns false when the queue is full or the pool has stopped.
    ///
    /// - Parameter always: whether to queue the job even when the queue is full.
    func submit(always: Bool, _ job: @escaping @Sendable () -> Void) -> Bool {
        state.changeForOne { state in
            if state.isStopped || (state.count >= limit && !always) { return false }
            state.waiting.append(job)
            return true
        }
    }

    /// Ends each thread after its current job. Waiting jobs are dropped.
    func stop() {
        let dropped = state.change { state in
            state.isStopped = true
            defer {
                state.waiting = []
                state.head = 0
            }
            return state.waiting
        }
        withExtendedLifetime(dropped) {}
    }
}
