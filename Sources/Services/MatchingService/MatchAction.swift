internal import SagamoreEngine
internal import SagamoreServices

/// A task as its queue holds it.
struct QueuedTask: Sendable {
    let task: MatchingTask
    /// How many times in a row the task could not be started.
    let failures: Int
    /// What the poll that gets it is told of the number of polls.
    var pollerDelta: Int32 = 0

    init(_ task: MatchingTask, failures: Int = 0) {
        self.task = task
        self.failures = failures
    }
}

/// What the state of Matching asks its shell to do.
enum MatchAction {
    /// Start the task for the poll.
    case match(QueuedTask, Poll)
    /// Answer the poll without a task.
    case end(Poll)
    /// No worker polls this sticky queue: History offers the task on the normal queue.
    case abandon(MatchingTask)
    /// The queue is full: the task's run waits in the database.
    case pageOut(MatchingTask)
    /// The queue has room for this many tasks of runs that wait in the database.
    case pageIn(TaskQueueKey, limit: Int)
}
