internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// A slice of the executions, with one owner and one commit lane. Its state is a set of values under one lock. Calls to
/// others (Matching, callers) are collected in `deferred` and made after the lock is released.
///
/// Unchecked: all mutable state is guarded by `lock`.
final class Shard: @unchecked Sendable {
    let id: Int32
    let configuration: HistoryConfiguration
    let clock: @Sendable () -> Instant
    let steadyClock: @Sendable () -> Instant
    let encoder: any StatusEventEncoder
    let log: Logger
    let matching: @Sendable () -> (any MatchingClient)?

    /// Guards the variables below.
    let lock = ThreadLock()
    var ownership: ShardOwnership
    /// Whether snapshots may be written: every program that can take the shard reads them.
    var allowsSnapshots = false
    var runs = RunTable()
    var random: RandomSource
    var queries = QueryTable()
    /// The newest command ids that were decided here. What the loader reads may be older.
    var recentCommands = RecentCommands(capacity: 1 << 16)
    var newWorkflows = NewWorkflows()
    var deferred = DeferredActions()
    var timers = TimerHeap()
    var backlogRows = BacklogRows.unknown

    /// The lane's queue, with its own lock, on which the lane sleeps.
    let lane: LaneQueue
    let loads = LoadQueue()
    let bell = TimerBell()

    init(
        id: Int32,
        configuration: HistoryConfiguration,
        environment: HistoryEnvironment,
        encoder: any StatusEventEncoder,
        matching: @escaping @Sendable () -> (any MatchingClient)?,
        log: Logger
    ) {
        self.id = id
        self.configuration = configuration
        clock = environment.wallClock
        steadyClock = environment.steadyClock
        random = environment.makeRandom()
        self.encoder = encoder
        self.matching = matching
        self.log = log
        lane = LaneQueue()
        ownership = ShardOwnership(grace: configuration.recoveryGrace)
    }

    /// Runs `body` under the lock, then makes the calls that it deferred.
    func perform<Value>(_ body: () -> Value) -> Value {
        lock.lock()
        let value = body()
        let due = deferred.take()
        lock.unlock()
        due.carryOut(matching)
        return value
    }

    /// Under the lock: the reason why requests are refused now; nil when they are accepted.
    func obstacle() -> RequestError? { ownership.obstacle(at: steadyClock())?.error(shard: id) }

    /// Under the lock.
    var isOwned: Bool { ownership.isOwned }

    /// Under the lock: the shard belongs to another owner, or the service stops. Refuses all waiting requests and
    /// accepts no more.
    ///
    /// - Parameter items: what the lane has in hand; what waits in its queue is refused behind it.
    func drop(_ failure: LaneFailure, refusing items: [LaneItem] = []) {
        ownership.drop()
        let error = failure.error
        for context in runs.removeAll() {
            for waiter in context.state.abandon() { deferred.call { waiter.refuse(error) } }
            for waiter in context.historyWaiters { deferred.call(waiter.expire) }
            context.historyWaiters = []
        }
        carryOut(queries.removeAll(error), seen: nil)
        backlogRows = .unknown
        deferred.cancelRetries()
        timers.removeAll()
        recentCommands.removeAll()
        for item in items + lane.close() { deferred.call { item.refuse?(failure) } }
    }

    /// Whether new work has to wait because too much is queued for writing to the database, or for reading from it.
    var isFull: Bool {
        let limit = configuration.laneQueueLimit
        return lane.count >= limit || loads.count >= limit
    }

    /// Under the lock, as what follows.
    var contexts: [WorkflowKey: WorkflowContext] { runs.contexts }

    func context(_ key: WorkflowKey) -> WorkflowContext { runs.context(key) }

    func dropIfUnused(_ context: WorkflowContext) { runs.dropIfUnused(context) }

    /// Discards a run whose commit failed. The stored run is loaded for the next request, or after a moment.
    func kill(_ run: CachedRun, in context: WorkflowContext?) {
        run.die()
        let error = RequestError.unavailable("the workflow has to be loaded anew; try again")
        carryOut(queries.runEvicted(run.runID, error), seen: nil)
        guard let context else { return }
        // It may be stored as a closed run with debts, whether or not it owes something here.
        if !run.execution.isRunning {
            context.state.loseDebtor(run)
            deferred.retryLater { [self] in loads.add(.debtor(run.runID)) }
        }
        context.hasLostReports = true
        // Followers read again from the run that is loaded in its place.
        for waiter in runs.takeWaiters(of: run.runID, in: context) { deferred.call { waiter.notify(nil) } }
        guard context.cached === run else { return }
        context.state.lose(run)
        deferred.retryLater { [self] in perform { requestLoad(context) } }
    }
}
