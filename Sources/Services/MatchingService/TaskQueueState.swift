internal import SagamoreEngine
internal import SagamoreServices

/// One task queue, as a value: tasks and polls wait in order, never both at once. Every method returns what is to be
/// done outside.
struct TaskQueueState {
    private var tasks = FIFO<MatchingTask>()
    private var polls = FIFO<Poll>()
    private var waiting: [UInt64: Poll] = [:]
    /// When a poll last waited here; a sticky queue without one for long has lost its worker.
    private var lastPollAt = Instant.distantPast
    private var isShutDown = false
    /// Runs wait for this queue in the database.
    private var hasBacklog = false
    /// A page of the backlog is on its way.
    private var isPaging = false
    /// More was stored while a page was on its way.
    private var wasStoredMeanwhile = false

    /// Tasks that a queue holds in memory; further ones wait in the database.
    static let limit = 2_000
    /// After this time without a poll a sticky queue's worker counts as gone. Temporal default: 10 s.
    private static let stickyPatience = Interval.seconds(10)
    /// A queue that nobody uses is forgotten after this time.
    private static let idleTime = Interval.seconds(300)

    var taskCount: Int { tasks.count }
    var pollCount: Int { waiting.count }

    mutating func offer(_ task: MatchingTask, at now: Instant) -> [MatchAction] {
        if let poll = nextPoll(at: now) { return [.match(task, poll)] }
        if task.isSticky, isShutDown || lastPollAt + Self.stickyPatience < now { return [.abandon(task)] }
        if task.isQuery {
            // Somebody waits for its answer: it does not wait in the database, nor behind those that do.
            if !task.isSticky, tasks.count >= 2 * Self.limit { return [.pageOut(task)] }
        } else if !task.isSticky, tasks.count >= Self.limit || (hasBacklog && !isPaging) {
            // While others wait in the database, who comes new waits behind them.
            return [.pageOut(task)]
        }
        tasks.append(task)
        return []
    }

    // MARK: The backlog

    mutating func backlogStored() -> [MatchAction] {
        hasBacklog = true
        if isPaging { wasStoredMeanwhile = true }
        return refill()
    }

    mutating func backlogPaged(isMoreWaiting: Bool) -> [MatchAction] {
        isPaging = false
        hasBacklog = isMoreWaiting || wasStoredMeanwhile
        wasStoredMeanwhile = false
        return refill()
    }

    /// Asks for a page when half of the room is free.
    private mutating func refill() -> [MatchAction] {
        guard hasBacklog, !isPaging, tasks.count < Self.limit / 2 else { return [] }
        isPaging = true
        return [.pageIn(limit: Self.limit - tasks.count)]
    }

    mutating func poll(_ poll: Poll, isSticky: Bool, at now: Instant) -> [MatchAction] {
        lastPollAt = now
        if isShutDown, isSticky { return [.end(poll)] }
        guard let task = tasks.popFirst() else {
            wait(poll)
            return refill()
        }
        return [.match(task, poll)] + refill()
    }

    /// A poll that was matched with a task which was out of date: it goes first.
    mutating func pollAgain(_ poll: Poll, at now: Instant) -> [MatchAction] {
        if poll.isOver || poll.deadline <= now || isShutDown { return [.end(poll)] }
        lastPollAt = now
        if let task = tasks.popFirst() { return [.match(task, poll)] + refill() }
        polls.prepend(poll)
        if let handle = poll.handle { waiting[handle.id] = poll }
        return []
    }

    /// A task that could not be started now: it goes first. Polls that wait meet it a little later (`expire`), so that
    /// nobody runs in circles while the other side can't say.
    mutating func giveBack(_ task: MatchingTask, at now: Instant) -> [MatchAction] {
        if task.isSticky, isShutDown { return [.abandon(task)] }
        tasks.prepend(task)
        return []
    }

    mutating func cancel(_ id: UInt64, at now: Instant) -> [MatchAction] {
        guard let poll = waiting.removeValue(forKey: id) else { return [] }
        poll.isOver = true
        lastPollAt = now
        if polls.count > 2 * waiting.count + 16 { polls.removeAll { $0.isOver } }
        return [.end(poll)]
    }

    /// The worker said goodbye: its polls end, its tasks go elsewhere, and what is offered later too.
    mutating func shutDown(at now: Instant) -> [MatchAction] {
        isShutDown = true
        var actions = endAllPolls()
        while let task = tasks.popFirst() { actions.append(.abandon(task)) }
        return actions
    }

    mutating func endPolls(of worker: DepartingWorker) -> [MatchAction] {
        var actions: [MatchAction] = []
        for (id, poll) in waiting where worker.isPoller(poll.poller) {
            poll.isOver = true
            waiting[id] = nil
            actions.append(.end(poll))
        }
        if !actions.isEmpty { polls.removeAll { $0.isOver } }
        return actions
    }

    mutating func endAllPolls() -> [MatchAction] {
        let ended = waiting.values.map { poll -> MatchAction in
            poll.isOver = true
            return .end(poll)
        }
        waiting = [:]
        polls = FIFO()
        return ended
    }

    /// Ends the polls whose time is up, lets tasks that were given back meet those that wait, and gives away what a
    /// sticky queue's worker has left behind.
    mutating func expire(at now: Instant) -> [MatchAction] {
        var actions: [MatchAction] = []
        for poll in waiting.values where poll.deadline <= now {
            poll.isOver = true
            if let handle = poll.handle { waiting[handle.id] = nil }
            actions.append(.end(poll))
        }
        if !actions.isEmpty {
            lastPollAt = now
            polls.removeAll { $0.isOver }
        }
        while tasks.count > 0, let poll = nextPoll(at: now), let task = tasks.popFirst() {
            actions.append(.match(task, poll))
        }
        if lastPollAt + Self.idleTime < now, tasks.contains(where: \.isSticky) {
            // The worker is gone for good. Those that are out of date go with the others: History knows.
            while let task = tasks.popFirst() { actions.append(.abandon(task)) }
        } else if lastPollAt + Self.stickyPatience < now, tasks.contains(where: \.isStickyQuery) {
            // Only queries: a workflow task has a timeout of its own for this, and the history tells of it.
            tasks.removeAll { task in
                if task.isStickyQuery { actions.append(.abandon(task)) }
                return task.isStickyQuery
            }
        }
        return actions
    }

    func isIdle(at now: Instant) -> Bool {
        tasks.count == 0 && waiting.isEmpty && !hasBacklog && !isPaging && lastPollAt + Self.idleTime < now
    }

    private mutating func wait(_ poll: Poll) {
        polls.append(poll)
        if let handle = poll.handle { waiting[handle.id] = poll }
    }

    private mutating func nextPoll(at now: Instant) -> Poll? {
        while let poll = polls.popFirst() {
            if poll.isOver { continue }
            if let handle = poll.handle { waiting[handle.id] = nil }
            lastPollAt = now
            return poll
        }
        return nil
    }
}

/// A queue with cheap ends: an array with a moving head.
struct FIFO<Element> {
    private var items: [Element?] = []
    private var head = 0

    var count: Int { items.count - head }

    mutating func append(_ element: Element) {
        items.append(element)
    }

    mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            items[head] = element
        } else {
            items.insert(element, at: 0)
        }
    }

    mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        let element = items[head]
        items[head] = nil
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: items.count < 1_024)
            head = 0
        } else if head > 1_024, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    func contains(where condition: (Element) -> Bool) -> Bool {
        items[head...].contains { $0.map(condition) ?? false }
    }

    mutating func removeAll(where isGone: (Element) -> Bool) {
        items = items[head...].filter { element in element.map { !isGone($0) } ?? false }
        head = 0
    }
}

extension MatchingTask {
    fileprivate var isQuery: Bool {
        if case .query = kind { true } else { false }
    }

    fileprivate var isStickyQuery: Bool { isSticky && isQuery }
}
