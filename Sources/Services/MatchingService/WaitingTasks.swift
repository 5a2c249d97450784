internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// The tasks of one queue that wait in memory, and the order in which polls get them: by priority, within a priority by
/// the shares of their keys. Tasks that could not be started wait apart.
struct WaitingTasks {
    private var tasks = TaskLine()
    /// Apart, since they are not stored: a full queue pages out its last task.
    private var queries = TaskLine()
    /// About what the runs of these tasks keep in memory, without queries and postponed ones.
    private(set) var bytes = 0
    /// The size of a task, in bytes: an average in which the newest sixteen weigh most.
    private(set) var typicalBytes = MatchingTask.smallest
    private var clock = FairClock()
    var postponed = PostponedTasks()
    /// Due retries and new tasks take turns, so that neither kind starves the other.
    private var isRetryNext = true

    /// The rate limits; nil without any.
    private var pace: TaskPace?
    /// The weights of keys that the queue's settings name, instead of those of their tasks.
    private var weights: [ExactText: Float] = [:]

    /// Tasks without queries and without those that are postponed.
    var count: Int { tasks.count + (pace?.heldCount ?? 0) }
    var queryCount: Int { queries.count }
    var isEmpty: Bool { count == 0 && queries.isEmpty && postponed.count == 0 }

    /// The task with the place where it has to wait. One that comes back keeps its place.
    mutating func placed(_ task: MatchingTask, at now: Instant) -> MatchingTask {
        if task.place != nil {
            clock.restored(task, at: now)
            return task
        }
        var task = task
        if let since = task.since, clock.isEarlier(since, at: now) {
            task.place = FairClock.place(ofEarlierTask: since)
            return task
        }
        task.place = clock.place(of: task.priority, weight: weight(of: task), at: now)
        if task.since == nil { task.since = now }
        return task
    }

    /// Adds a task that has a place.
    mutating func insert(_ task: MatchingTask) {
        if task.isQuery { return queries.insert(task) }
        tasks.insert(task)
        bytes += task.bytes
        typicalBytes += (task.bytes - typicalBytes) / 16
    }

    /// Removes the last task that may be stored.
    mutating func popLast() -> MatchingTask? {
        guard let last = tasks.popLast() else {
            let last = pace?.popLast()
            bytes -= last?.bytes ?? 0
            return last
        }
        bytes -= last.bytes
        pace?.removed(last)
        return last
    }

    /// Removes the task that the next poll gets.
    mutating func next(at now: Instant) -> QueuedTask? {
        if pace != nil { return nextInTime(at: now) }
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
        if let task {
            clock.served(task.taskPlace)
            if !isQueryNext { bytes -= task.bytes }
        }
        return task
    }

    /// Removes and returns the tasks that fulfill a condition.
    mutating func removeAll(where isRemoved: (MatchingTask) -> Bool) -> [MatchingTask] {
        guard !isEmpty else { return [] }
        // No key is held back for a moment; the next poll finds out again.
        for task in pace?.popAll() ?? [] { tasks.insert(task) }
        let removed = tasks.removeAll(where: isRemoved)
        for task in removed { bytes -= task.bytes }
        return removed + queries.removeAll(where: isRemoved) + postponed.removeAll(where: isRemoved)
    }

    var holdsSticky: Bool { tasks.holdsSticky || queries.holdsSticky || postponed.contains(where: \.isSticky) }

    var holdsStickyQuery: Bool { queries.holdsSticky || postponed.contains(where: \.isStickyQuery) }

    /// All tasks, in order; the postponed ones at the end.
    var all: [MatchingTask] { tasks.inOrder + (pace?.all ?? []) + queries.inOrder + postponed.all }
}

// MARK: - Settings

extension WaitingTasks {
    /// Sets the limits of the queue and of keys of weight 1, in tasks per second.
    mutating func limit(queueRate: Double?, keyRate: Double?) {
        guard queueRate != nil || keyRate != nil || pace != nil else { return }
        var pace = self.pace ?? TaskPace()
        pace.set(queueRate: queueRate, keyRate: keyRate)
        if queueRate == nil, keyRate == nil {
            for task in pace.popAll() { tasks.insert(task) }
            self.pace = nil
        } else {
            self.pace = pace
        }
    }

    mutating func setWeights(_ weights: [ExactText: Float]) { self.weights = weights }

    /// Whether a rate is limited.
    var isPaced: Bool { pace != nil }

    /// When the next task may go that waits for a limit; nil if none does, or for never.
    func nextInTime(after now: Instant) -> Instant? {
        guard let pace, count > 0 else { return nil }
        return pace.next(at: now, isLineEmpty: tasks.isEmpty)
    }

    /// Whether tasks wait for a limit.
    func isHeldBack(at now: Instant) -> Bool {
        guard let pace, count > 0 else { return false }
        return pace.heldCount > 0 || !pace.allows(at: now)
    }

    /// A task that a poll got was out of date: another one may go instead.
    mutating func giveBack() { pace?.giveBack() }

    /// Notes whether tasks wait: these are owed their time.
    mutating func settle() {
        if pace != nil { pace!.owes(count > 0) }
    }

    private func weight(of task: MatchingTask) -> Float {
        guard let share = task.priority.share else { return weights.isEmpty ? 1 : weights[ExactText("")] ?? 1 }
        return weights.isEmpty ? share.weight : weights[ExactText(share.key)] ?? share.weight
    }

    private mutating func nextInTime(at now: Instant) -> QueuedTask? {
        guard pace!.allows(at: now) else { return nil }
        defer { settle() }
        if isRetryNext || count == 0, let retry = postponed.popDue(at: now) {
            isRetryNext = false
            pace!.take(at: now)
            return retry
        }
        isRetryNext = true
        pace!.release(into: &tasks, at: now)
        while let task = tasks.popFirst() {
            guard pace!.admit(task, weight: weight(of: task), at: now) else { continue }
            clock.served(task.taskPlace)
            bytes -= task.bytes
            return QueuedTask(task)
        }
        return nil
    }
}
