public import SagamoreEngine
public import SagamoreLogging
public import SagamoreServices
internal import SagamoreThreads

/// Matches tasks with polls. The state is a value (`MatchingState`) under one lock; its actions are carried out without
/// the lock.
public final class MatchingService: MatchingClient {
    private let history: any HistoryClient & BacklogStore
    private let clock: @Sendable () -> Instant
    private let log: Logger
    private let state: Locked<MatchingState>
    private let timer = MatchingTimer()
    /// Called where other threads may come in between: the lock was released, and the actions are not carried out yet.
    private let afterHold: (@Sendable () -> Void)?

    /// A service without tasks or polls; `history` starts the tasks that it matches.
    public convenience init(
        history: any HistoryClient & BacklogStore,
        clock: @escaping @Sendable () -> Instant,
        log: Logger
    ) {
        self.init(history: history, clock: clock, log: log, afterHold: nil)
    }

    /// - Parameters:
    ///   - queueLimit: how many tasks a queue holds in memory, at least 2; nil for the usual limit.
    ///   - afterHold: for a simulation.
    package init(
        history: any HistoryClient & BacklogStore,
        clock: @escaping @Sendable () -> Instant,
        log: Logger,
        queueLimit: Int? = nil,
        afterHold: (@Sendable () -> Void)?
    ) {
        state = Locked(MatchingState(queueLimit: queueLimit ?? TaskQueueState.limit))
        self.history = history
        self.clock = clock
        self.log = log
        self.afterHold = afterHold
    }

    /// Starts the thread that ends polls whose time is up and retries postponed tasks.
    public func start() {
        timer.start { [weak self] in self?.step() ?? MatchingTimer.pause(.zero) }
    }

    /// Ends all waiting polls without a task.
    public func stop() {
        timer.stop()
        carryOut(state.withLock { $0.stop() })
    }

    /// Does what is due. Returns how long to wait before the next step.
    package func step() -> Interval {
        let now = clock()
        let (actions, wakeAt) = state.withLock { $0.step(at: now) }
        carryOut(actions)
        return MatchingTimer.pause(wakeAt - now)
    }

    /// All tasks that wait in memory, for the checks of a simulation.
    package var heldTasks: [MatchingTask] { state.withLock { $0.heldTasks } }

    /// How many tasks wait for their next attempt, for the checks of a simulation.
    package var postponedCount: Int { state.withLock { $0.postponedCount } }

    /// Changes the state, and carries out what follows from that.
    private func change(_ body: (inout MatchingState, Instant) -> [MatchAction]) {
        let now = clock()
        carryOut(state.withLock { body(&$0, now) })
    }

    // MARK: MatchingClient

    public func offer(_ task: MatchingTask) {
        change { state, now in state.offer(task, at: now) }
    }

    @discardableResult
    public func pollWorkflowTask(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<PolledWorkflowTask>
    ) -> PollHandle {
        poll(queue, isSticky: isSticky, poller, deadline, .workflow(reply))
    }

    @discardableResult
    public func pollActivityTask(
        _ queue: TaskQueueKey,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<AssignedActivityTask?>
    ) -> PollHandle {
        poll(queue, isSticky: false, poller, deadline, .activity(reply))
    }

    private func poll(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        _ poller: PollerIdentity,
        _ deadline: Instant,
        _ answer: Poll.Answer
    ) -> PollHandle {
        let now = clock()
        let (handle, actions) = state.withLock { state in
            let handle = state.newHandle(queue)
            let poll = Poll(handle: handle, poller: poller, deadline: deadline, answer: answer)
            return (handle, state.poll(poll, isSticky: isSticky, at: now))
        }
        carryOut(actions)
        return handle
    }

    public func cancelPoll(_ handle: PollHandle) {
        change { state, now in state.cancel(handle, at: now) }
    }

    public func workerShutDown(_ worker: DepartingWorker) {
        change { state, _ in state.shutDown(worker) }
    }

    public func connectionEnded(_ connectionID: UInt64) {
        change { state, _ in state.connectionEnded(connectionID) }
    }

    // MARK: Actions

    private func carryOut(_ actions: [MatchAction]) {
        afterHold?()
        for action in actions { carryOut(action) }
    }

    private func carryOut(_ action: MatchAction) {
        switch action {
        case .match(let queued, let poll): match(queued, poll)
        case .end(let poll): poll.end()
        case .abandon(let task): history.abandonSticky(task)
        case .pageOut(let task): history.pageOut(task)
        case .pageIn(let queue, let limit): history.pageIn(queue, limit: limit)
        }
    }

    /// Starts a task for a poll. If the task is refused, the poll gets the next one. A queue may hold thousands of
    /// refused tasks, so they are tried in a loop: nested calls would overflow the stack.
    private func match(_ queued: QueuedTask, _ poll: Poll) {
        var next: QueuedTask? = queued
        while let queued = next {
            next = nil
            guard let error = poll.refusal(of: { start(queued, for: poll) }) else { return }
            for action in notStarted(queued, poll, error) {
                if case .match(let following, let same) = action, same === poll {
                    next = following
                } else {
                    carryOut(action)
                }
            }
        }
    }

    private func start(_ queued: QueuedTask, for poll: Poll) {
        switch poll.answer {
        case .workflow(let reply):
            history.startWorkflowTask(
                queued.task,
                for: poll.poller,
                reply: Reply { [self] outcome in
                    switch outcome {
                    case .success(let polled):
                        state.withLock { $0.answered(poll) }
                        reply.succeed(polled)
                    case .failure(let error): refused(queued, poll, error)
                    }
                }
            )
        case .activity(let reply):
            history.startActivityTask(
                queued.task,
                for: poll.poller,
                reply: Reply { [self] outcome in
                    switch outcome {
                    case .success(let assigned):
                        state.withLock { $0.answered(poll) }
                        reply.succeed(assigned)
                    case .failure(let error): refused(queued, poll, error)
                    }
                }
            )
        }
    }

    private func refused(_ queued: QueuedTask, _ poll: Poll, _ error: RequestError) {
        if !poll.leaveRefusal(error) { carryOut(notStarted(queued, poll, error)) }
    }

    private func notStarted(_ queued: QueuedTask, _ poll: Poll, _ error: RequestError) -> [MatchAction] {
        let isOutOfDate = error.code == .notFound
        if !isOutOfDate, queued.failures == PostponedTasks.delays.count {
            // Once for each task, about 16 s after its first failure.
            log.warning(
                "a task cannot be started; it is retried every 8 s, and other tasks of its queue go first",
                metadata: [
                    "queue": queued.task.queue.name, "workflow_id": queued.task.key.workflowID,
                    "run_id": "\(queued.task.runID)", "error": error.message,
                ]
            )
        }
        let now = clock()
        return state.withLock { $0.notStarted(queued, poll, isOutOfDate: isOutOfDate, at: now) }
    }
}

// MARK: - Backlogs

extension MatchingService: BacklogListener {
    public func backlogStored(_ queue: TaskQueueKey) {
        change { state, _ in state.backlogStored(queue) }
    }

    public func backlogPaged(_ queue: TaskQueueKey, next: TaskPlace?) {
        change { state, _ in state.backlogPaged(queue, next: next) }
    }
}
