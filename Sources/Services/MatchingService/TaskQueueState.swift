internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// One task queue, as a value: tasks and polls wait in order. Every method returns what is to be done outside.
struct TaskQueueState {
    /// What is known of the worker whose sticky queue this is.
    private enum StickyWorker {
        /// It polls, or has polled a short time ago, or has never polled.
        case expected
        /// All connections on which it polled have ended. Its next poll brings it back.
        case disconnected
        /// It has shut down and does not come back.
        case shutDown
    }

    /// What is known of the tasks that wait for this queue in the database.
    private enum Backlog {
        case none
        case stored
        /// A page is being read.
        case paging(storedMeanwhile: Bool)
    }

    let key: TaskQueueKey
    private var tasks = WaitingTasks()
    private var statistics = QueueStatistics()
    private var scaling = PollerScaling()
    private var settings = TaskQueueConfig()
    /// The polls in order. One that is not in `waiting` any more is skipped.
    private var polls = FIFO<UInt64>()
    private var waiting: [UInt64: Poll] = [:]
    /// When a poll last waited here. A sticky queue without one for long has lost its worker.
    private var lastPollAt = Instant.distantPast
    private var stickyWorker = StickyWorker.expected
    /// The connections on which a sticky queue was polled and that have not ended. A worker may use several, and polls
    /// on none while it is at work.
    private(set) var connections: Set<UInt64> = []
    private var backlog = Backlog.none
    /// No task that waits in the database stands before this place, as far as is known. While a page is read, only of
    /// those that were paged out meanwhile.
    private var firstStored = TaskPlace.back
    /// `step` has nothing to do before this time. It may be too early, never too late.
    private(set) var wakeAt = Instant.distantPast

    /// When a poll that waits may get a task that waits for a rate limit.
    private(set) var pacedWake: Instant?

    /// What it may hold in memory. With less than it holds, each further task sends one to the database.
    var room: QueueRoom
    /// After this time without a poll a sticky queue's worker counts as gone. Temporal default: 10 s.
    private static let stickyPatience = Interval.seconds(10)
    /// A queue that nobody uses is forgotten after this time.
    private static let idleTime = Interval.seconds(300)

    init(_ key: TaskQueueKey, room: QueueRoom = .usual, settings: TaskQueueConfig? = nil) {
        self.key = key
        self.room = room
        if let settings { set(settings) }
    }

    /// Tasks that no poll has got, without those that are postponed.
    var taskCount: Int { tasks.count + tasks.queryCount }
    var postponedCount: Int { tasks.postponed.count }
    /// About what the runs of the tasks keep in memory.
    var heldBytes: Int { tasks.bytes }
    var pollCount: Int { waiting.count }

    /// All tasks in memory, for the checks of a simulation.
    var heldTasks: [MatchingTask] { tasks.all }

    // MARK: Tasks

    mutating func offer(_ task: MatchingTask, at now: Instant) -> [MatchAction] {
        statistics.added(task, at: now)
        if !tasks.isPaced, let poll = nextPoll(at: now) { return [match(QueuedTask(task), poll, at: now)] }
        if task.isSticky, isWorkerGone || lastPollAt + Self.stickyPatience < now { return [.abandon(task)] }
        if task.isQuery {
            // A client waits for the answer, so a query waits neither in the database nor behind tasks that do.
            if !task.isSticky, tasks.queryCount >= room.aside { return [.pageOut(task)] }
            tasks.insert(tasks.placed(task, at: now))
        } else {
            let task = tasks.placed(task, at: now)
            if task.isSticky {
                tasks.insert(task)
            } else if isBehindBacklog(task) {
                return [pageOut(task, at: now)]
            } else {
                tasks.insert(task)
                // The last one waits in the database: a full queue takes tasks of a higher priority, and of other keys.
                let isFull = room.isExceeded(tasks: tasks.count, bytes: tasks.bytes)
                if isFull, let last = tasks.popLast() { return [pageOut(last, at: now)] }
            }
        }
        if task.isSticky { wake(by: lastPollAt + Self.stickyPatience) }
        return tasks.isPaced ? matchInTime(at: now) : []
    }

    /// Takes back a task that could not be started. Its next attempt follows after a delay, and other tasks go first.
    mutating func postpone(_ failed: QueuedTask, at now: Instant) -> [MatchAction] {
        let task = failed.task
        if task.isSticky, isWorkerGone { return [.abandon(task)] }
        guard tasks.postponed.count < room.aside else {
            return [task.isSticky ? .abandon(task) : pageOut(tasks.placed(task, at: now), at: now)]
        }
        wake(by: tasks.postponed.add(failed, at: now))
        return []
    }

    // MARK: The backlog

    private mutating func pageOut(_ task: MatchingTask, at now: Instant) -> MatchAction {
        firstStored = min(firstStored, task.taskPlace)
        statistics.pagedOut(task, at: now)
        return .pageOut(task)
    }

    mutating func backlogStored() -> [MatchAction] {
        // Tasks that this queue did not page out are those of an earlier process.
        if firstStored == .back { firstStored = .front }
        if case .paging = backlog {
            backlog = .paging(storedMeanwhile: true)
        } else {
            backlog = .stored
        }
        return refill()
    }

    /// - Parameter next: no task that still waits in the database stands before this place; nil when none waits.
    mutating func backlogPaged(next: TaskPlace?) -> [MatchAction] {
        firstStored = min(firstStored, next ?? .back)
        if case .paging(storedMeanwhile: true) = backlog {
            backlog = .stored
        } else {
            backlog = next == nil ? .none : .stored
            if next == nil { statistics.backlogIsEmpty() }
        }
        return refill()
    }

    /// Whether a new task has to wait behind those in the database. While so many tasks are postponed that no page is
    /// read, new ones go first.
    private func isBehindBacklog(_ task: MatchingTask) -> Bool {
        guard case .stored = backlog else { return false }
        return tasks.postponed.count < room.aside && task.taskPlace >= firstStored
    }

    /// Asks for a page when half of the room is free.
    private mutating func refill() -> [MatchAction] {
        guard case .stored = backlog, tasks.postponed.count < room.aside,
            let page = room.page(tasks: tasks.count, bytes: tasks.bytes, typical: tasks.typicalBytes)
        else { return [] }
        backlog = .paging(storedMeanwhile: false)
        firstStored = .back
        return [.pageIn(key, limit: page)]
    }

    // MARK: Polls

    mutating func poll(_ poll: Poll, isSticky: Bool, at now: Instant) -> [MatchAction] {
        lastPollAt = now
        statistics.polled(by: poll.poller, at: now)
        if statistics.workerAsks(for: poll.poller.tasksPerSecond) { applyLimits() }
        if isSticky {
            if case .shutDown = stickyWorker { return [.end(poll)] }
            stickyWorker = .expected
            if let connection = poll.poller.connectionID { connections.insert(connection) }
        }
        if let queued = tasks.next(at: now) { return [match(queued, poll, at: now)] + refill() }
        polls.append(poll.handle.id)
        wait(poll, at: now)
        return refill()
    }

    /// A poll whose task was not started gets the next one, or waits in front of the others.
    mutating func pollAgain(_ poll: Poll, at now: Instant) -> [MatchAction] {
        if poll.deadline <= now { return [.end(poll)] }
        if case .shutDown = stickyWorker { return [.end(poll)] }
        lastPollAt = now
        if let queued = tasks.next(at: now) { return [match(queued, poll, at: now)] + refill() }
        polls.prepend(poll.handle.id)
        wait(poll, at: now)
        return []
    }

    mutating func cancel(_ id: UInt64, at now: Instant) -> [MatchAction] {
        guard let poll = waiting.removeValue(forKey: id) else { return [] }
        lastPollAt = now
        statistics.polled(by: poll.poller, at: now)
        if polls.count > 2 * waiting.count + 16 { removeEndedPolls() }
        return [.end(poll)]
    }

    func count(in figures: inout MatchingFigures) {
        figures.polls += waiting.count
        figures.tasks += tasks.count
    }

    private mutating func wait(_ poll: Poll, at now: Instant) {
        waiting[poll.handle.id] = poll
        wake(by: poll.deadline)
        // A task that is postponed may be due before the poll's time is up.
        if let retry = tasks.postponed.nextRetry { wake(by: retry) }
        notePace(at: now)
    }

    private mutating func match(_ queued: QueuedTask, _ poll: Poll, at now: Instant) -> MatchAction {
        statistics.dispatched(queued.task, at: now)
        let delta = scaling.delta(
            pollWaited: now - poll.since,
            taskWaited: queued.task.since.map { now - $0 } ?? .zero,
            polls: waiting.count,
            at: now
        ) {
            PollerScaling.Queue(backlog: tasks.count + statistics.storedCount, rates: statistics.rates(at: now))
        }
        // Most have none, and a copy is not free.
        guard delta != 0 else { return .match(queued, poll) }
        var queued = queued
        queued.pollerDelta = delta
        return .match(queued, poll)
    }

    private mutating func matchWaiting(at now: Instant) -> [MatchAction] {
        var actions: [MatchAction] = []
        while !waiting.isEmpty, let queued = tasks.next(at: now) {
            guard let poll = nextPoll(at: now) else { preconditionFailure("a poll that waits is not in line") }
            actions.append(match(queued, poll, at: now))
        }
        notePace(at: now)
        return actions
    }

    private mutating func nextPoll(at now: Instant) -> Poll? {
        while let id = polls.popFirst() {
            guard let poll = waiting.removeValue(forKey: id) else { continue }
            lastPollAt = now
            return poll
        }
        return nil
    }

    private mutating func removeEndedPolls() {
        let waiting = self.waiting
        polls.removeAll { waiting[$0] == nil }
    }

    private mutating func endPolls(at now: Instant? = nil, where isOver: (Poll) -> Bool) -> [MatchAction] {
        // In the order of their arrival.
        let ended = waiting.values.filter(isOver).sorted { $0.handle.id < $1.handle.id }
        for poll in ended { waiting[poll.handle.id] = nil }
        if let now { for poll in ended { statistics.polled(by: poll.poller, at: now) } }
        if !ended.isEmpty { removeEndedPolls() }
        return ended.map { .end($0) }
    }

    // MARK: Rate limits

    /// Changes the settings.
    mutating func configure(_ settings: TaskQueueConfig, at now: Instant) -> [MatchAction] {
        set(settings)
        return matchWaiting(at: now)
    }

    private mutating func set(_ settings: TaskQueueConfig) {
        self.settings = settings
        let weights = settings.fairnessWeightOverrides.map { (ExactText($0.key), FairShare.effective($0.value)) }
        tasks.setWeights(Dictionary(weights) { $1 })
        applyLimits()
    }

    private mutating func applyLimits() {
        tasks.limit(queueRate: rateLimit?.rate, keyRate: key.kind == .activity ? settings.keyRate : nil)
    }

    /// The limit of the whole queue. The settings go before what workers ask for.
    private var rateLimit: TaskQueueDescription.Limit? {
        guard key.kind == .activity else { return nil }
        if let rate = settings.queueRate { return TaskQueueDescription.Limit(rate: rate, isWorkers: false) }
        return statistics.workerRate.map { TaskQueueDescription.Limit(rate: $0, isWorkers: true) }
    }

    private mutating func matchInTime(at now: Instant) -> [MatchAction] {
        let actions = matchWaiting(at: now)
        tasks.settle()
        return actions
    }

    private mutating func notePace(at now: Instant) {
        guard tasks.isPaced else {
            pacedWake = nil
            return
        }
        pacedWake = waiting.isEmpty ? nil : tasks.nextInTime(after: now)
        if let pacedWake { wake(by: pacedWake) }
    }

    /// A task that a poll got was out of date.
    mutating func outOfDate() { tasks.giveBack() }

    /// What is known of the queue.
    func describe(at now: Instant) -> TaskQueueDescription {
        var description = TaskQueueDescription(at: now)
        description.settings = settings
        description.limit = rateLimit
        description.isLimited = tasks.isHeldBack(at: now)
        statistics.describe(tasks.all, in: &description)
        return description
    }

    // MARK: The end of a worker

    private var isWorkerGone: Bool {
        if case .expected = stickyWorker { false } else { true }
    }

    /// The worker of this sticky queue has shut down: its polls end, its tasks go elsewhere, and later ones do too.
    mutating func shutDown() -> [MatchAction] {
        stickyWorker = .shutDown
        return endAllPolls() + abandonAll()
    }

    /// Ends the polls of a worker that shuts down.
    mutating func endPolls(of worker: DepartingWorker) -> [MatchAction] {
        endPolls { worker.isPoller($0.poller) }
    }

    mutating func endAllPolls() -> [MatchAction] {
        endPolls { _ in true }
    }

    /// A connection has ended, after its polls. With the last connection of a sticky queue's worker its tasks go
    /// elsewhere, and later ones do too, until it polls again: unlike one that has shut down, it may come back.
    mutating func connectionEnded(_ connection: UInt64) -> [MatchAction] {
        guard connections.remove(connection) != nil, connections.isEmpty else { return [] }
        if case .expected = stickyWorker { stickyWorker = .disconnected }
        return abandonAll()
    }

    private mutating func abandonAll() -> [MatchAction] {
        abandon { _ in true }
    }

    private mutating func abandon(where isAbandoned: (MatchingTask) -> Bool) -> [MatchAction] {
        tasks.removeAll(where: isAbandoned).map { .abandon($0) }
    }

    // MARK: Time

    /// Does what is due: ends polls whose time is up, gives postponed tasks to polls that wait, and gives up what a
    /// sticky queue's worker has left behind. Sets `wakeAt` to the time of the next step.
    mutating func step(at now: Instant) -> [MatchAction] {
        guard wakeAt <= now else { return [] }
        var actions = endPolls(at: now) { $0.deadline <= now }
        if !actions.isEmpty { lastPollAt = now }
        actions += matchWaiting(at: now)
        if lastPollAt + Self.idleTime < now, tasks.holdsSticky {
            // Some of the tasks may be out of date: History knows.
            actions += abandonAll()
        } else if lastPollAt + Self.stickyPatience < now {
            // Only queries: a workflow task has a timeout of its own for this, which its history shows.
            actions += abandon { $0.isStickyQuery }
        }
        wakeAt = nextWake(after: now)
        return actions
    }

    /// Whether nobody uses the queue and it can be forgotten.
    func isIdle(at now: Instant) -> Bool {
        guard case .none = backlog, tasks.isEmpty, waiting.isEmpty else { return false }
        return lastPollAt + Self.idleTime < now
    }

    private func nextWake(after now: Instant) -> Instant {
        // A time since the last poll is over only after its last instant.
        let instant = Interval(nanoseconds: 1)
        var times = [lastPollAt + Self.idleTime + instant]
        if !waiting.isEmpty {
            times += waiting.values.map(\.deadline)
            if let retry = tasks.postponed.nextRetry { times.append(retry) }
            if let pacedWake { times.append(pacedWake) }
        }
        if tasks.holdsStickyQuery { times.append(lastPollAt + Self.stickyPatience + instant) }
        // What is overdue and still there waits for something else than time, for example for a poll.
        return times.filter { $0 > now }.min() ?? now + Self.idleTime
    }

    private mutating func wake(by instant: Instant) {
        if instant < wakeAt { wakeAt = instant }
    }
}

extension TaskQueueConfig {
    /// The limit of the whole queue in tasks per second; nil for none.
    fileprivate var queueRate: Double? { queueRateLimit?.rateLimit.map { Double($0.requestsPerSecond) } }

    /// The limit of a fairness key of weight 1 in tasks per second; nil for none.
    fileprivate var keyRate: Double? { fairnessKeysRateLimitDefault?.rateLimit.map { Double($0.requestsPerSecond) } }
}
