internal import SagamoreServices

/// How much a task queue holds in memory. Further tasks wait in the database.
package struct QueueRoom: Sendable, Equatable {
    /// Tasks that no poll has got; at least 2.
    package var tasks: Int
    /// About what their runs keep in memory, in bytes. The last task may go beyond it.
    package var bytes: Int

    /// Some 13,000 tasks of short runs: what waits for its first step takes about 5 kB.
    package static let usual = QueueRoom(tasks: 20_000, bytes: 64 << 20)

    /// The rows of a page. A larger one would keep urgent loads of the shards waiting.
    private static let largestPage = 2_000

    /// What all queues together may keep in memory before each has to make do with little.
    static let allQueues = 256 << 20

    /// The room of a queue while all together keep too much: what keeps its workers busy until the next page is read.
    var whileScarce: QueueRoom { QueueRoom(tasks: min(tasks, 500), bytes: min(bytes, 2 << 20)) }

    package init(tasks: Int, bytes: Int) {
        self.tasks = tasks
        self.bytes = bytes
    }

    /// Tasks that could not be started and wait for their next attempt, and as many queries.
    var aside: Int { min(tasks, 2_000) }

    /// Whether a queue has to give tasks up.
    func isExceeded(tasks: Int, bytes: Int) -> Bool { tasks > self.tasks || (bytes > self.bytes && tasks > 2) }

    /// How many tasks to read when at least half of the room is free; nil before.
    ///
    /// - Parameter typical: the size of a task, as far as is known.
    func page(tasks: Int, bytes: Int, typical: Int) -> Int? {
        guard tasks < self.tasks / 2, bytes < self.bytes / 2 || tasks == 0 else { return nil }
        return max(1, min(self.tasks - tasks, (self.bytes - bytes) / max(1, typical), Self.largestPage))
    }
}
