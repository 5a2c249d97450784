internal import SagamoreEngine
internal import SagamoreServices

/// Tasks that could not be started, each until its next attempt. The delay doubles with each failure in a row, so one
/// shard that is away or one run that cannot be loaded does not hold up the tasks of others.
struct PostponedTasks {
    private struct Entry {
        let queued: QueuedTask
        let retryAt: Instant
    }

    /// The delays after the first failure, the second, and so on; the last one repeats.
    static let delays = [250, 500, 1_000, 2_000, 4_000, 8_000].map { Interval.milliseconds($0) }

    /// One row for each delay. All tasks of a row wait equally long, so each row is in the order of its times.
    private var rows = Array(repeating: FIFO<Entry>(), count: Self.delays.count)

    private(set) var count = 0

    /// When the next task is due.
    var nextRetry: Instant? { rows.compactMap { $0.first?.retryAt }.min() }

    /// Adds a task that has failed once more.
    ///
    /// - Returns: when its next attempt is due.
    mutating func add(_ failed: QueuedTask, at now: Instant) -> Instant {
        let row = min(failed.failures, Self.delays.count - 1)
        let retryAt = now + Self.delays[row]
        rows[row].append(Entry(queued: QueuedTask(failed.task, failures: failed.failures + 1), retryAt: retryAt))
        count += 1
        return retryAt
    }

    /// Removes the task that has been due for the longest time, if one is due.
    mutating func popDue(at now: Instant) -> QueuedTask? {
        guard let next = nextRetry, next <= now else { return nil }
        guard let row = rows.firstIndex(where: { $0.first?.retryAt == next }) else { return nil }
        count -= 1
        return rows[row].popFirst()?.queued
    }

    var all: [MatchingTask] {
        var all: [MatchingTask] = []
        _ = contains { task in
            all.append(task)
            return false
        }
        return all
    }

    func contains(where condition: (MatchingTask) -> Bool) -> Bool {
        rows.contains { $0.contains { condition($0.queued.task) } }
    }

    /// Removes and returns the tasks that fulfill a condition.
    mutating func removeAll(where isRemoved: (MatchingTask) -> Bool) -> [MatchingTask] {
        var removed: [MatchingTask] = []
        for row in rows.indices {
            rows[row].removeAll { entry in
                guard isRemoved(entry.queued.task) else { return false }
                removed.append(entry.queued.task)
                return true
            }
        }
        count -= removed.count
        return removed
    }
}
