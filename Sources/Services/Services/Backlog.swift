/// The store for tasks of full task queues. Each task gets a row in the database, its run leaves memory, and tasks are
/// paged back in order. So a queue without workers costs no memory and slows no other queue.
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
    func backlogPaged(_ queue: TaskQueueKey, isMoreWaiting: Bool)
}
