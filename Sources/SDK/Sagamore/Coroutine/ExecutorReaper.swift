internal import SagamoreThreads

/// One thread that lets tasks of finished runs end: those that something outside has kept waiting.
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

    /// Runs the jobs that other threads have brought to a retired executor.
    func reap(_ executor: WorkflowExecutor) {
        waiting.change { $0.append(executor) }
    }
}
