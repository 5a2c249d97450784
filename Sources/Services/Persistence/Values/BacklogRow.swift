public import SagamoreEngine

/// A task that waits in the database for room in its task queue.
public struct BacklogRow: Sendable, Equatable {
    /// The key of a row: a task has at most one.
    public struct Key: Sendable, Hashable {
        /// The run.
        public let runID: RunID
        /// The id of the activity's ActivityTaskScheduled, or 0 for the workflow task.
        public let task: Int64

        public init(runID: RunID, task: Int64) {
            self.runID = runID
            self.task = task
        }
    }

    /// The task.
    public let key: Key
    /// The stored name of the task queue.
    public let queue: String
    /// When the task became due.
    public let since: Instant
    /// The task's priority, from 1, which goes first.
    public let priority: Int8
    /// Its place among the queue's tasks of this priority.
    public let place: Int64

    public init(key: Key, queue: String, since: Instant, priority: Int8, place: Int64) {
        self.key = key
        self.queue = queue
        self.since = since
        self.priority = priority
        self.place = place
    }
}

/// A change of a row of the backlog.
public enum BacklogChange: Sendable, Equatable {
    /// The task waits. An earlier row of it is replaced; if it waited for the same queue, the earlier one of both
    /// places stays.
    case store(BacklogRow)
    /// The task was offered, or is out of date. A row of another queue stays.
    case remove(BacklogRow)

    /// The row that is stored or removed.
    public var row: BacklogRow {
        switch self {
        case .store(let row), .remove(let row): row
        }
    }
}
