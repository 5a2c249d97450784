internal import SagamoreThreads

/// The workers that have shut down most recently. A later poll of such a worker is answered at once: the worker waits
/// for all its polls before it stops.
final class DepartedWorkers: Sendable {
    /// A worker by its instance key, which is new with each start. Old SDKs send none, and are never found here.
    struct Worker: Hashable {
        let namespace: Int32
        let instanceKey: String
    }

    private struct Recent {
        var workers: Set<Worker> = []
        /// A ring in the order of shutdown: the next worker replaces the oldest one.
        var order: [Worker] = []
        var oldest = 0
    }

    private let recent = Locked(Recent())
    private let limit: Int

    /// Remembers at most `limit` workers.
    init(limit: Int = 4_096) {
        self.limit = limit
    }

    func insert(_ worker: Worker) {
        guard !worker.instanceKey.isEmpty else { return }
        recent.withLock { recent in
            guard recent.workers.insert(worker).inserted else { return }
            if recent.order.count < limit {
                recent.order.append(worker)
                return
            }
            recent.workers.remove(recent.order[recent.oldest])
            recent.order[recent.oldest] = worker
            recent.oldest = (recent.oldest + 1) % limit
        }
    }

    func contains(_ worker: Worker) -> Bool {
        recent.withLock { $0.workers.contains(worker) }
    }
}
