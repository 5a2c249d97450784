/// The store for tasks of full task queues. Each task gets a row in the database, its run leaves memory, and tasks are
/// paged back in the order of their places. So a queue without workers costs no memory and slows no other queue.
public protocol BacklogStore: Sendable {
    /// Stores a task whose queue is full.
    func pageOut(_ task: MatchingTask)
    /// Offers the tasks of the runs that have waited longest, then calls `backlogPaged`.
    func pageIn(_ queue: TaskQueueKey, limit: Int)
}

/// Receives news of the backlogs of task queues.
public protocol BacklogListener: Sendable {
    /// Runs wait for this queue in the database.
    func backlogStored(_ queue: TaskQueueKey)
    /// A page has been offered.
    ///
    /// - Parameter next: no task that still waits in the database stands before this place; nil when none waits.
    func backlogPaged(_ queue: TaskQueueKey, next: TaskPlace?)
}

/// Where a task stands in its queue.
public struct TaskPlace: Comparable, Sendable {
    /// Its priority, from 1.
    public let level: Int8
    /// Its place among the tasks of this priority.
    public let place: Int64

    public init(level: Int8, place: Int64) {
        self.level = level
        self.place = place
    }

    /// Before all tasks.
    public static let front = TaskPlace(level: .min, place: .min)
    /// Behind all tasks.
    public static let back = TaskPlace(level: .max, place: .max)

    public static func < (left: TaskPlace, right: TaskPlace) -> Bool {
        left.level == right.level ? left.place < right.place : left.level < right.level
    }
}
