public import SagamoreAPI
public import SagamoreEngine
public import SagamoreLogging
public import SagamoreServices
internal import SagamoreThreads
private import Synchronization

/// Matches tasks with polls. The state is a value (`MatchingState`) under one lock; its actions are carried out without
/// the lock.
public final class MatchingService: MatchingClient {
    private let history: any HistoryClient & BacklogStore
    private let clock: @Sendable () -> Instant
    private let log: Logger
    private let state: Locked<MatchingState>
    private let timer = MatchingTimer()
    /// When the timer makes its next step for a rate limit, in nanoseconds.
    private let plannedWake = Atomic<Int64>(.max)
    private let settings: (any TaskQueueSettingsStore)?
    /// Held while settings are written, so that they are written in order.
    private let configuring = Locked(())
    /// Called where other threads may come in between: the lock was released, and the actions are not carried out yet.
    private let afterHold: (@Sendable () -> Void)?

    /// A service without tasks or polls; `history` starts the tasks that it matches.
    ///
    /// - Parameter settings: where the settings of task queues are stored. Without it they last as long as the service.
    public convenience init(
        history: any HistoryClient & BacklogStore,
        settings: (any TaskQueueSettingsStore)? = nil,
        clock: @escaping @Sendable () -> Instant,
        log: Logger
    ) {
        self.init(history: history, settings: settings, clock: clock, log: log, afterHold: nil)
    }

    /// - Parameters:
    ///   - room: of each queue.
    ///   - afterHold: for a simulation.
    package init(
        history: any HistoryClient & BacklogStore,
        settings: (any TaskQueueSettingsStore)? = nil,
        clock: @escaping @Sendable () -> Instant,
        log: Logger,
        room: QueueRoom = .usual,
        afterHold: (@Sendable () -> Void)?
    ) {
        state = Locked(MatchingState(room: room))
        self.history = history
        self.settings = settings
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
        let (actions, wakeAt, paced) = state.withLock { state in
            let (actions, wakeAt) = state.step(at: now)
            return (actions, wakeAt, state.pacedWake)
        }
        plannedWake.store(paced?.nanoseconds ?? .max, ordering: .relaxed)
        carryOut(actions)
        if let paced, paced <= wakeAt { return MatchingTimer.pause(paced - now, isPaced: true) }
        return MatchingTimer.pause(wakeAt - now)
    }

    /// All tasks that wait in memory, for the checks of a simulation.
    /// What waits in memory now, by kind of task queue.
    public func figures() -> [MatchingFigures] { state.withLock { $0.figures() } }

    package var heldTasks: [MatchingTask] { state.withLock { $0.heldTasks } }

    /// How many tasks wait for their next attempt, for the checks of a simulation.
    package var postponedCount: Int { state.withLock { $0.postponedCount } }

    /// Changes the state, and carries out what follows from that.
    private func change(_ body: (inout MatchingState, Instant) -> [MatchAction]) {
        let now = clock()
        let (actions, paced) = state.withLock { state in (body(&state, now), state.pacedWake) }
        wakeTimer(by: paced)
        carryOut(actions)
    }

    /// Has the timer make a step in time for a task that waits for a rate limit.
    private func wakeTimer(by instant: Instant?) {
        guard let instant, instant.nanoseconds < plannedWake.load(ordering: .relaxed) else { return }
        plannedWake.store(instant.nanoseconds, ordering: .relaxed)
        timer.wake()
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
        let (handle, actions, paced) = state.withLock { state in
            let handle = state.newHandle(queue)
            let poll = Poll(handle: handle, poller: poller, since: now, deadline: deadline, answer: answer)
            let actions = state.poll(poll, isSticky: isSticky, at: now)
            return (handle, actions, state.pacedWake)
        }
        wakeTimer(by: paced)
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
                        reply.succeed(polled.suggesting(queued.pollerDelta))
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
                        reply.succeed(assigned.suggesting(queued.pollerDelta))
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
                    "queue": "\(queued.task.queue.name)", "workflow_id": "\(queued.task.key.workflowID)",
                    "run_id": "\(queued.task.runID)", "error": "\(error.message)",
                ]
            )
        }
        let now = clock()
        return state.withLock { $0.notStarted(queued, poll, isOutOfDate: isOutOfDate, at: now) }
    }
}

// MARK: - Settings and descriptions

extension MatchingService {
    /// Reads the settings of all task queues. Blocks; called once, before polls come.
    ///
    /// - Throws: `unavailable`.
    public func loadSettings() throws(RequestError) {
        guard let stored = try settings?.load() else { return }
        state.withLock { $0.load(stored) }
    }

    public func describe(_ queue: TaskQueueKey) -> TaskQueueDescription {
        let now = clock()
        return state.withLock { $0.describe(queue, at: now) }
    }

    public func configure(
        _ queue: TaskQueueKey,
        _ change: (inout TaskQueueConfig) throws(RequestError) -> Void
    ) throws(RequestError) -> TaskQueueConfig {
        let (new, actions) = try configuring.withLock { (_) throws(RequestError) in
            let old = state.withLock { $0.settings(of: queue) }
            var new = old
            try change(&new)
            if new != old { try settings?.save(new, of: queue) }
            let now = clock()
            return (new, state.withLock { $0.configure(queue, new, at: now) })
        }
        timer.wake()
        carryOut(actions)
        return new
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

extension PolledWorkflowTask {
    /// With a suggestion to the worker. A query has none.
    fileprivate func suggesting(_ pollerDelta: Int32) -> PolledWorkflowTask {
        guard pollerDelta != 0, case .task(var task) = self else { return self }
        task.pollerDelta = pollerDelta
        return .task(task)
    }
}

extension AssignedActivityTask {
    /// With a suggestion to the worker.
    fileprivate func suggesting(_ pollerDelta: Int32) -> AssignedActivityTask {
        guard pollerDelta != 0 else { return self }
        var task = self
        task.pollerDelta = pollerDelta
        return task
    }
}
