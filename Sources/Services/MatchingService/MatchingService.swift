public import SagamoreEngine
public import SagamoreLogging
public import SagamoreServices
internal import SagamoreThreads

/// Where tasks meet pollers. Each task queue is a pure value (`TaskQueueState`) under one lock; what it decides is
/// carried out without it.
public final class MatchingService: MatchingClient {
    private let history: any HistoryClient & BacklogStore
    private let clock: @Sendable () -> Instant
    private let log: Logger
    private let state = Locked(State())
    private let expiry = ExpiryThread()

    private struct State {
        var queues: [TaskQueueKey: TaskQueueState] = [:]
        /// Polls that are being given a task.
        var matched: [UInt64: Poll] = [:]
        var nextPollID: UInt64 = 1
        var isStopped = false

        /// Notes the polls that actions give tasks to, and returns the actions.
        mutating func noting(_ actions: [MatchAction]) -> [MatchAction] {
            for case .match(_, let poll) in actions {
                if let handle = poll.handle { matched[handle.id] = poll }
            }
            return actions
        }
    }

    /// A service without tasks or polls; `history` starts the tasks that it matches.
    public init(history: any HistoryClient & BacklogStore, clock: @escaping @Sendable () -> Instant, log: Logger) {
        self.history = history
        self.clock = clock
        self.log = log
    }

    /// Starts the thread that ends polls whose time is up.
    public func start() {
        expiry.start { [weak self] in self?.expire() }
    }

    /// Ends every waiting poll with "nothing".
    public func stop() {
        expiry.stop()
        let actions = state.withLock { state in
            state.isStopped = true
            let actions = state.queues.keys.flatMap { state.queues[$0]?.endAllPolls() ?? [] }
            state.queues = [:]
            return actions
        }
        carryOut(actions)
    }

    // MARK: Tasks

    public func offer(_ task: MatchingTask) {
        change(task.queue) { queue, now in queue.offer(task, at: now) }
    }

    private func change(_ key: TaskQueueKey, _ body: (inout TaskQueueState, Instant) -> [MatchAction]) {
        carryOut(changed(key, body), key)
    }

    /// Changes a queue, and returns what is to be done for it.
    ///
    /// - Parameter poll: one that is not being given a task any more.
    private func changed(
        _ key: TaskQueueKey,
        given poll: Poll? = nil,
        _ body: (inout TaskQueueState, Instant) -> [MatchAction]
    ) -> [MatchAction] {
        let now = clock()
        return state.withLock { state -> [MatchAction] in
            if let handle = poll?.handle { state.matched[handle.id] = nil }
            guard !state.isStopped else { return poll.map { [.end($0)] } ?? [] }
            return state.noting(body(&state.queues[key, default: TaskQueueState()], now))
        }
    }

    // MARK: Polls

    @discardableResult
    public func pollWorkflowTask(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<PolledWorkflowTask>
    ) -> PollHandle {
        poll(queue, Poll(poller: poller, deadline: deadline, answer: .workflow(reply)), isSticky: isSticky)
    }

    @discardableResult
    public func pollActivityTask(
        _ queue: TaskQueueKey,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<AssignedActivityTask?>
    ) -> PollHandle {
        poll(queue, Poll(poller: poller, deadline: deadline, answer: .activity(reply)), isSticky: false)
    }

    private func poll(_ key: TaskQueueKey, _ poll: Poll, isSticky: Bool) -> PollHandle {
        let now = clock()
        let (id, actions) = state.withLock { state -> (UInt64, [MatchAction]) in
            let id = state.nextPollID
            state.nextPollID += 1
            poll.handle = PollHandle(queue: key, id: id)
            if state.isStopped { return (id, [.end(poll)]) }
            let actions = state.queues[key, default: TaskQueueState()].poll(poll, isSticky: isSticky, at: now)
            return (id, state.noting(actions))
        }
        carryOut(actions, key)
        return PollHandle(queue: key, id: id)
    }

    public func cancelPoll(_ handle: PollHandle) {
        let now = clock()
        let actions = state.withLock { state -> [MatchAction] in
            // One that is being given a task keeps it; should the task be out of date, it waits for no other one.
            state.matched[handle.id]?.isOver = true
            return state.queues[handle.queue]?.cancel(handle.id, at: now) ?? []
        }
        carryOut(actions, handle.queue)
    }

    public func workerShutDown(_ worker: DepartingWorker) {
        let now = clock()
        let namespace = worker.namespace
        let key = TaskQueueKey(namespace: namespace, name: worker.stickyQueue, kind: .workflow)
        let actions = state.withLock { state -> [MatchAction] in
            var actions: [MatchAction] = []
            if !worker.stickyQueue.isEmpty, !state.isStopped {
                actions += state.queues[key, default: TaskQueueState()].shutDown(at: now)
            }
            // All polls of the worker end, on whichever queue: it waits for that before it stops. Where only the
            // identity tells whose a poll is, one of a worker beside it may end too; that one simply polls again.
            for key in state.queues.keys where key.namespace == namespace {
                actions += state.queues[key]?.endPolls(of: worker) ?? []
            }
            // Those that are being given a task wait for no other one.
            for poll in state.matched.values where worker.isPoller(poll.poller) {
                if poll.handle?.queue.namespace == namespace { poll.isOver = true }
            }
            return actions
        }
        carryOut(actions, key)
    }

    private func expire() {
        let now = clock()
        let actions = state.withLock { state -> [MatchAction] in
            var actions: [MatchAction] = []
            for key in state.queues.keys {
                actions += state.queues[key]?.expire(at: now) ?? []
                if state.queues[key]?.isIdle(at: now) == true { state.queues[key] = nil }
            }
            return state.noting(actions)
        }
        carryOut(actions)
    }

    // MARK: What was decided

    /// - Parameter queue: the queue that asks, where only one does.
    private func carryOut(_ actions: [MatchAction], _ queue: TaskQueueKey? = nil) {
        for action in actions { carryOut(action, queue) }
    }

    private func carryOut(_ action: MatchAction, _ queue: TaskQueueKey?) {
        switch action {
        case .match(let task, let poll): match(task, poll)
        case .end(let poll): poll.end()
        case .abandon(let task): history.abandonSticky(task)
        case .pageOut(let task): history.pageOut(task)
        case .pageIn(let limit): if let queue { history.pageIn(queue, limit: limit) }
        }
    }

    /// Gives a task to a poll. One that is out of date is refused at once, and the poll meets the next one. A queue may
    /// hold thousands of them: they are tried in a loop, since no stack has room for each inside the one before.
    private func match(_ task: MatchingTask, _ poll: Poll) {
        var next: MatchingTask? = task
        while let task = next {
            next = nil
            guard let error = poll.refusal(of: { start(task, for: poll) }) else { return }
            for action in notStarted(task, poll, error) {
                if case .match(let following, let same) = action, same === poll {
                    next = following
                } else {
                    carryOut(action, task.queue)
                }
            }
        }
    }

    private func start(_ task: MatchingTask, for poll: Poll) {
        switch poll.answer {
        case .workflow(let reply):
            history.startWorkflowTask(
                task,
                for: poll.poller,
                reply: Reply { [self] outcome in
                    switch outcome {
                    case .success(let polled):
                        given(poll)
                        reply.succeed(polled)
                    case .failure(let error): refused(task, poll, error)
                    }
                }
            )
        case .activity(let reply):
            history.startActivityTask(
                task,
                for: poll.poller,
                reply: Reply { [self] outcome in
                    switch outcome {
                    case .success(let assigned):
                        given(poll)
                        reply.succeed(assigned)
                    case .failure(let error): refused(task, poll, error)
                    }
                }
            )
        }
    }

    private func given(_ poll: Poll) {
        guard let id = poll.handle?.id else { return }
        state.withLock { $0.matched[id] = nil }
    }

    private func refused(_ task: MatchingTask, _ poll: Poll, _ error: RequestError) {
        if !poll.leaveRefusal(error) { carryOut(notStarted(task, poll, error), task.queue) }
    }

    /// The task was out of date: the poll goes on waiting, in front of the others. When History can't say now, the task
    /// is kept and the worker told to come again. Returns what is to be done for the queue.
    private func notStarted(_ task: MatchingTask, _ poll: Poll, _ error: RequestError) -> [MatchAction] {
        if error.code == .notFound {
            return changed(task.queue, given: poll) { queue, now in queue.pollAgain(poll, at: now) }
        }
        let actions = changed(task.queue, given: poll) { queue, now in queue.giveBack(task, at: now) }
        poll.fail(error)
        return actions
    }
}

// MARK: - Backlogs

extension MatchingService: BacklogListener {
    public func backlogStored(_ queue: TaskQueueKey) {
        change(queue) { state, _ in state.backlogStored() }
    }

    public func backlogPaged(_ queue: TaskQueueKey, isMoreWaiting: Bool) {
        change(queue) { state, _ in state.backlogPaged(isMoreWaiting: isMoreWaiting) }
    }
}
