internal import SagamoreThreads

/// The workers that said goodbye last. A poll that was on its way then must be answered at once: its worker waits for
/// it before it stops, and would wait as long as the poll does.
final class DepartedWorkers: Sendable {
    /// A worker's own name for itself, new with each start; it may be empty in old SDKs, which are never found here.
    struct Worker: Hashable {
        let namespace: Int32
        let instanceKey: String
    }

    private struct Recent {
        var workers: Set<Worker> = []
        /// In the order in which they left, as a ring: the next one takes the place of the oldest.
        var order: [Worker] = []
        var oldest = 0
    }

    private let recent = Locked(Recent())
    private let limit: Int

    /// Remembers at most so many.
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
