internal import SagamoreThreads

/// A thread that runs late jobs of evicted runs, so that their tasks can end.
final class ExecutorReaper: Sendable {
    static let shared = ExecutorReaper()

    private let waiting = Monitor<[WorkflowExecutor]>([])

    private init() {
        let waiting = waiting
        _ = SystemThread.required("sagamore-reaper") {
            while true {
                let executors = waiting.wait { list -> [WorkflowExecutor]? in
                    if list.isEmpty { return nil }
                    defer { list = [] }
                    return list
                }
                for executor in executors {
                    executor.enter {
                        executor.adoptForeignJobs()
                        executor.drain()
                    }
                }
            }
        }
    }

    /// Runs jobs that other threads enqueued on a retired executor.
    func reap(_ executor: WorkflowExecutor) {
        waiting.change { $0.append(executor) }
    }
}
