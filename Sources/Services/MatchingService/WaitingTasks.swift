internal import SagamoreEngine
internal import SagamoreServices

/// The tasks of one queue that wait in memory, and the order in which polls get them: by priority, within a priority by
/// the shares of their keys. Tasks that could not be started wait apart.
struct WaitingTasks {
    private var tasks = TaskLine()
    /// Apart, since they are not stored: a full queue pages out its last task.
    private var queries = TaskLine()
    private var clock = FairClock()
    var postponed = PostponedTasks()
    /// Due retries and new tasks take turns, so that neither kind starves the other.
    private var isRetryNext = true

    /// Tasks without queries and without those that are postponed.
    var count: Int { tasks.count }
    var queryCount: Int { queries.count }
    var isEmpty: Bool { tasks.isEmpty && queries.isEmpty && postponed.count == 0 }

    /// The task with the place where it has to wait. One that comes back keeps its place.
    mutating func placed(_ task: MatchingTask, at now: Instant) -> MatchingTask {
        if task.place != nil {
            clock.restored(task, at: now)
            return task
        }
        var task = task
        task.place = clock.place(of: task.priority, weight: task.priority.share?.weight ?? 1, at: now)
        return task
    }

    /// Adds a task that has a place.
    mutating func insert(_ task: MatchingTask) {
        if task.isQuery { queries.insert(task) } else { tasks.insert(task) }
    }

    /// Removes the last task that may be stored.
    mutating func popLast() -> MatchingTask? { tasks.popLast() }

    /// Removes the task that the next poll gets.
    mutating func next(at now: Instant) -> QueuedTask? {
        if isRetryNext || (tasks.isEmpty && queries.isEmpty), let retry = postponed.popDue(at: now) {
            isRetryNext = false
            return retry
        }
        isRetryNext = true
        return popFirst().map { QueuedTask($0) }
    }

    private mutating func popFirst() -> MatchingTask? {
        let isQueryNext =
            queries.firstPlace.map { query in tasks.firstPlace.map { query < $0 } ?? true } ?? false
        let task = isQueryNext ? queries.popFirst() : tasks.popFirst()
        if let task { clock.served(task.taskPlace) }
        return task
    }

    /// Removes and returns the tasks that fulfill a condition.
    mutating func removeAll(where isRemoved: (MatchingTask) -> Bool) -> [MatchingTask] {
        guard !isEmpty else { return [] }
        let removed = tasks.removeAll(where: isRemoved) + queries.removeAll(where: isRemoved)
        return removed + postponed.removeAll(where: isRemoved)
    }

    var holdsSticky: Bool { tasks.holdsSticky || queries.holdsSticky || postponed.contains(where: \.isSticky) }

    var holdsStickyQuery: Bool { queries.holdsSticky || postponed.contains(where: \.isStickyQuery) }

    /// All tasks, in order; the postponed ones at the end.
    var all: [MatchingTask] { tasks.inOrder + queries.inOrder + postponed.all }
}
