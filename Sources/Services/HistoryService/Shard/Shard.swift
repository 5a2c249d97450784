internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The executions of some slices, with one owner and one commit lane. Its state is one value under one lock. Calls out
/// (to Matching, to callers) are collected in `state.deferred` and made after the lock is released.
///
/// Unchecked: `state`, the only variable, is guarded by `lock`.
final class Shard: @unchecked Sendable {
    let id: Int32
    let configuration: HistoryConfiguration
    let clock: @Sendable () -> Instant
    let steadyClock: @Sendable () -> Instant
    let metrics: HistoryMetrics
    private let afterHold: (@Sendable (HoldWork) -> Void)?
    let encoder: any StatusEventEncoder
    let log: Logger
    let namespace: @Sendable (Int32) -> NamespaceRecord?
    let matching: @Sendable () -> (any MatchingClient)?

    private let lock = ThreadLock()
    /// Guarded by `lock`: used only in `perform`.
    ///
    /// Without the runtime's check of exclusive access, which every use would pay for: the lock keeps other threads
    /// away, and no method of the value calls the shard.
    @exclusivity(unchecked) var state: ShardState

    /// The lane's queue, with its own lock, on which the lane sleeps.
    let lane: LaneQueue
    let loads: LoadQueue
    let bell = TimerBell()
    let debtBell = DebtBell()

    init(
        id: Int32,
        configuration: HistoryConfiguration,
        environment: HistoryEnvironment,
        encoder: any StatusEventEncoder,
        matching: @escaping @Sendable () -> (any MatchingClient)?,
        namespace: @escaping @Sendable (Int32) -> NamespaceRecord? = { _ in nil },
        log: Logger
    ) {
        self.id = id
        self.configuration = configuration
        clock = environment.wallClock
        steadyClock = environment.steadyClock
        metrics = environment.metrics
        afterHold = environment.afterHold
        self.encoder = encoder
        self.matching = matching
        self.namespace = namespace
        self.log = log
        lane = LaneQueue()
        loads = LoadQueue(lookUps: configuration.bounds.lookUps)
        state = ShardState(grace: configuration.recoveryGrace, random: environment.makeRandom())
    }

    /// Runs `body` under the lock, then makes the calls that it deferred.
    func perform<Value>(_ body: () -> Value) -> Value {
        lock.lock()
        let value = body()
        let due = state.deferred.take()
        guard let afterHold else {
            lock.unlock()
            due.carryOut(matching)
            return value
        }
        let work = state.work
        state.work = HoldWork()
        lock.unlock()
        afterHold(work)
        due.carryOut(matching)
        return value
    }

    /// Runs `body` under the lock. It changes nothing, and nobody gets a turn behind it.
    func inspect<Value>(_ body: () -> Value) -> Value { lock.withLock(body) }

    /// Whether new work is refused because too many commits or reads are queued.
    var isFull: Bool {
        let limit = configuration.laneQueueLimit
        return lane.count >= limit || loads.count >= limit
    }

    // MARK: Under the lock

    /// Why requests are refused now; nil if they are accepted.
    func obstacle() -> RequestError? { state.ownership.obstacle(at: steadyClock())?.error(shard: id) }

    /// Drops the shard because it has another owner, or because the service stops. Refuses all waiting requests.
    ///
    /// - Parameter items: the items that the lane is committing. They are refused before those in its queue.
    func drop(_ failure: LaneFailure, refusing items: [LaneItem] = []) {
        state.drop(failure, refusing: items + lane.close())
    }

    /// Discards a run whose commit failed. The stored run is reloaded for the next request, or at the timer's next
    /// sweep.
    func discard(_ run: CachedRun, in context: WorkflowContext?) {
        run.discard()
        state.debts.forget(run.runID)
        let error = RequestError.notLoaded
        state.carryOut(state.queries.runEvicted(run.runID, error))
        state.carryOut(state.updates.runLost(run.runID, error))
        guard let context else { return }
        // The stored run may have debts even if this one has none.
        if !run.execution.isRunning {
            context.state.loseDebtor(run)
            state.deferred.retryLater { [self] in loads.add(.debtor(run.runID)) }
        }
        context.hasLostReports = true
        // Followers read again from the reloaded run.
        for waiter in state.runs.takeWaiters(of: run.runID, in: context) {
            state.deferred.call { waiter.notify(nil) }
        }
        guard context.cached === run else { return }
        context.state.lose(run)
        state.deferred.retryLater { [self] in perform { requestLoad(context) } }
    }
}

extension RequestError {
    /// What memory holds of the workflow is out of date.
    static let notLoaded = RequestError.unavailable("the workflow has to be loaded anew; try again")
}
