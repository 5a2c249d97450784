internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// All task queues and polls of a service, as a value. Every method returns what is to be done outside.
struct MatchingState {
    /// A poll for which a task is being started.
    private struct Matched {
        let poll: Poll
        /// Its client has left or its worker has shut down: it gets no other task.
        var isOver = false
    }

    private var queues: [TaskQueueKey: TaskQueueState] = [:]
    private var matched: [UInt64: Matched] = [:]
    /// The sticky queues that were polled on each connection.
    private var stickyQueues: [UInt64: Set<TaskQueueKey>] = [:]
    private var nextPollID: UInt64 = 1
    private var isStopped = false
    private var settings: [TaskQueueKey: TaskQueueConfig] = [:]
    /// When a poll may get a task that waits for a rate limit; nil if none waits. Read by the service, which has its
    /// timer wake in time.
    private(set) var pacedWake: Instant?
    private let room: QueueRoom
    private let allBytes: Int
    /// About what the tasks of all queues keep in memory. The timer's step counts anew.
    private(set) var heldBytes = 0

    /// - Parameters:
    ///   - room: of each queue.
    ///   - allBytes: of all queues; above it each has little room.
    init(room: QueueRoom = .usual, allBytes: Int = QueueRoom.allQueues) {
        self.room = room
        self.allBytes = allBytes
    }

    // MARK: Figures

    func figures() -> [MatchingFigures] {
        [TaskQueueKey.Kind.workflow, .activity].map { kind in
            var figures = MatchingFigures(kind: kind)
            for (key, queue) in queues where key.kind == kind { queue.count(in: &figures) }
            return figures
        }
    }

    // MARK: Tasks

    mutating func offer(_ task: MatchingTask, at now: Instant) -> [MatchAction] {
        change(task.queue) { $0.offer(task, at: now) }
    }

    mutating func backlogStored(_ key: TaskQueueKey) -> [MatchAction] {
        change(key) { $0.backlogStored() }
    }

    mutating func backlogPaged(_ key: TaskQueueKey, next: TaskPlace?) -> [MatchAction] {
        change(key) { $0.backlogPaged(next: next) }
    }

    /// Changes a queue, and notes the polls that get a task.
    private mutating func change(
        _ key: TaskQueueKey,
        _ body: (inout TaskQueueState) -> [MatchAction]
    ) -> [MatchAction] {
        guard !isStopped else { return [] }
        let (settings, room) = (settings, heldBytes > allBytes ? room.whileScarce : room)
        let (actions, wake, bytes) = Self.change(
            &queues[key, default: TaskQueueState(key, room: room, settings: settings[key])],
            room,
            body
        )
        heldBytes += bytes
        if let wake { pacedWake = min(wake, pacedWake ?? wake) }
        note(actions)
        return actions
    }

    private static func change(
        _ queue: inout TaskQueueState,
        _ room: QueueRoom,
        _ body: (inout TaskQueueState) -> [MatchAction]
    ) -> (actions: [MatchAction], wake: Instant?, bytes: Int) {
        let before = queue.heldBytes
        queue.room = room
        let actions = body(&queue)
        return (actions, queue.pacedWake, queue.heldBytes - before)
    }

    // MARK: Settings

    /// Takes over the stored settings.
    mutating func load(_ stored: [(TaskQueueKey, TaskQueueConfig)]) {
        settings = Dictionary(stored) { $1 }
    }

    func settings(of key: TaskQueueKey) -> TaskQueueConfig { settings[key] ?? TaskQueueConfig() }

    mutating func configure(_ key: TaskQueueKey, _ new: TaskQueueConfig, at now: Instant) -> [MatchAction] {
        settings[key] = new
        return queues[key] == nil ? [] : change(key) { $0.configure(new, at: now) }
    }

    func describe(_ key: TaskQueueKey, at now: Instant) -> TaskQueueDescription {
        (queues[key] ?? TaskQueueState(key, settings: settings[key])).describe(at: now)
    }

    private mutating func note(_ actions: [MatchAction]) {
        for case .match(_, let poll) in actions { matched[poll.handle.id] = Matched(poll: poll) }
    }

    // MARK: Polls

    mutating func newHandle(_ key: TaskQueueKey) -> PollHandle {
        defer { nextPollID += 1 }
        return PollHandle(queue: key, id: nextPollID)
    }

    mutating func poll(_ poll: Poll, isSticky: Bool, at now: Instant) -> [MatchAction] {
        guard !isStopped else { return [.end(poll)] }
        let key = poll.handle.queue
        var isFirstOnConnection = false
        let actions = change(key) { queue in
            let known = queue.connections.count
            defer { isFirstOnConnection = queue.connections.count > known }
            return queue.poll(poll, isSticky: isSticky, at: now)
        }
        if isFirstOnConnection, let connection = poll.poller.connectionID {
            stickyQueues[connection, default: []].insert(key)
        }
        return actions
    }

    /// The poll has been answered with its task.
    mutating func answered(_ poll: Poll) {
        matched[poll.handle.id] = nil
    }

    /// The task of a poll could not be started. One that is out of date is dropped, any other one is tried again later.
    /// The poll goes on with the next task.
    mutating func notStarted(_ queued: QueuedTask, _ poll: Poll, isOutOfDate: Bool, at now: Instant) -> [MatchAction] {
        let isOver = matched.removeValue(forKey: poll.handle.id)?.isOver ?? true
        guard !isStopped else { return [.end(poll)] }
        return change(poll.handle.queue) { queue in
            if isOutOfDate { queue.outOfDate() }
            let actions = isOutOfDate ? [] : queue.postpone(queued, at: now)
            return actions + (isOver ? [.end(poll)] : queue.pollAgain(poll, at: now))
        }
    }

    /// Ends a poll that waits. A poll for which a task is being started keeps that task. If the task is refused, the
    /// poll gets no other one.
    mutating func cancel(_ handle: PollHandle, at now: Instant) -> [MatchAction] {
        matched[handle.id]?.isOver = true
        return queues[handle.queue]?.cancel(handle.id, at: now) ?? []
    }

    // MARK: The end of a worker

    /// Ends all polls of a worker, on whichever queue: it waits for that before it stops. Where only the identity tells
    /// whose a poll is, one of another worker may end too; that worker polls again.
    mutating func shutDown(_ worker: DepartingWorker) -> [MatchAction] {
        var actions: [MatchAction] = []
        if !worker.stickyQueue.isEmpty {
            let key = TaskQueueKey(namespace: worker.namespace, name: worker.stickyQueue, kind: .workflow)
            actions += change(key) { $0.shutDown() }
        }
        for key in inOrder(queues.keys.filter { $0.namespace == worker.namespace }) {
            actions += queues[key]?.endPolls(of: worker) ?? []
        }
        for (id, entry) in matched where worker.isPoller(entry.poll.poller) {
            if entry.poll.handle.queue.namespace == worker.namespace { matched[id]?.isOver = true }
        }
        return actions
    }

    /// How many tasks wait for their next attempt, for the checks of a simulation.
    var postponedCount: Int { queues.values.reduce(0) { $0 + $1.postponedCount } }

    /// All tasks that wait in memory, for the checks of a simulation.
    var heldTasks: [MatchingTask] { inOrder(queues.keys).flatMap { queues[$0]?.heldTasks ?? [] } }

    mutating func connectionEnded(_ connection: UInt64) -> [MatchAction] {
        let keys = stickyQueues.removeValue(forKey: connection) ?? []
        return inOrder(keys).flatMap { queues[$0]?.connectionEnded(connection) ?? [] }
    }

    /// Ends all polls that wait, and those that come later.
    mutating func stop() -> [MatchAction] {
        isStopped = true
        let actions = inOrder(queues.keys).flatMap { queues[$0]?.endAllPolls() ?? [] }
        queues = [:]
        stickyQueues = [:]
        return actions
    }

    // MARK: Time

    /// Does what is due in all queues.
    ///
    /// - Returns: what to do, and when the next step is due.
    mutating func step(at now: Instant) -> (actions: [MatchAction], wakeAt: Instant) {
        var actions: [MatchAction] = []
        var wakeAt = Instant.distantFuture
        pacedWake = nil
        heldBytes = 0
        // Most queues have nothing to do. An access that may change one while they are iterated would copy all of them.
        var due: [TaskQueueKey] = []
        for (key, queue) in queues {
            if queue.wakeAt <= now {
                due.append(key)
            } else {
                heldBytes += queue.heldBytes
                wakeAt = min(wakeAt, queue.wakeAt)
                if let wake = queue.pacedWake { pacedWake = min(wake, pacedWake ?? wake) }
            }
        }
        for key in inOrder(due) {
            actions += queues[key]?.step(at: now) ?? []
            if queues[key]?.isIdle(at: now) == true {
                forget(key)
            } else if let next = queues[key]?.wakeAt {
                heldBytes += queues[key]?.heldBytes ?? 0
                wakeAt = min(wakeAt, next)
                if let wake = queues[key]?.pacedWake { pacedWake = min(wake, pacedWake ?? wake) }
            }
        }
        note(actions)
        return (actions, wakeAt)
    }

    private mutating func forget(_ key: TaskQueueKey) {
        guard let queue = queues.removeValue(forKey: key) else { return }
        for connection in queue.connections {
            stickyQueues[connection]?.remove(key)
            if stickyQueues[connection]?.isEmpty == true { stickyQueues[connection] = nil }
        }
    }
}

/// Keys in an order that is the same in every process, unlike that of a dictionary.
private func inOrder(_ keys: some Collection<TaskQueueKey>) -> [TaskQueueKey] {
    if keys.count < 2 { return Array(keys) }
    return keys.sorted { left, right in
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        if left.kind != right.kind { return left.kind == .workflow }
        return ExactText(left.name) < ExactText(right.name)
    }
}
