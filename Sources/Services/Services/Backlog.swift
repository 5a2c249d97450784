/// Where the tasks of a full task queue go: their runs leave memory, with a mark in the database, and are paged back in
/// order. So a queue without workers costs no memory, and never slows the others.
public protocol BacklogStore: Sendable {
    /// A queue has no room for this task: its run is marked as waiting for the queue.
    func pageOut(_ task: MatchingTask)
    /// A queue has room again: the tasks of the longest waiting runs are offered. `backlogPaged` tells when that is
    /// done.
    func pageIn(_ queue: TaskQueueKey, limit: Int)
}

/// What task queues are told about their backlogs.
public protocol BacklogListener: Sendable {
    /// Runs wait for this queue in the database.
    func backlogStored(_ queue: TaskQueueKey)
    /// A page was offered; whether more wait is known.
    func backlogPaged(_ queue: TaskQueueKey, isMoreWaiting: Bool)
}
