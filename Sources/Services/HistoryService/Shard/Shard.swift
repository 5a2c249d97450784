internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// The executions of some slices, with one owner and one commit lane. The state is one value under one lock. Calls to
/// others (Matching, callers) are collected in `state.deferred` and made after the lock is released.
///
/// Unchecked: `state`, the only variable, is guarded by `lock`.
final class Shard: @unchecked Sendable {
    let id: Int32
    let configuration: HistoryConfiguration
    let clock: @Sendable () -> Instant
    let steadyClock: @Sendable () -> Instant
    let encoder: any StatusEventEncoder
    let log: Logger
    let matching: @Sendable () -> (any MatchingClient)?

    private let lock = ThreadLock()
    /// Guarded by `lock`: used only in `perform`.
    ///
    /// Without the runtime's check of exclusive access, which every use would pay for: the lock keeps other threads
    /// away, and no method of the value calls the shard.
    @exclusivity(unchecked) var state: ShardState

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
        self.encoder = encoder
        self.matching = matching
        self.log = log
        lane = LaneQueue()
        state = ShardState(grace: configuration.recoveryGrace, random: environment.makeRandom())
    }

    /// Runs `body` under the lock, then makes the calls that it deferred.
    func perform<Value>(_ body: () -> Value) -> Value {
        lock.lock()
        let value = body()
        let due = state.deferred.take()
        lock.unlock()
        due.carryOut(matching)
        return value
    }

    /// Whether new work has to wait because too much is queued for writing to the database, or for reading from it.
    var isFull: Bool {
        let limit = configuration.laneQueueLimit
        return lane.count >= limit || loads.count >= limit
    }

    // MARK: Under the lock

    /// The reason why requests are refused now; nil when they are accepted.
    func obstacle() -> RequestError? { state.ownership.obstacle(at: steadyClock())?.error(shard: id) }

    /// The shard belongs to another owner, or the service stops. Refuses all waiting requests and accepts no more.
    ///
    /// - Parameter items: what the lane has in hand; what waits in its queue is refused behind it.
    func drop(_ failure: LaneFailure, refusing items: [LaneItem] = []) {
        state.drop(failure, refusing: items + lane.close())
    }

    /// Discards a run whose commit failed. The stored run is loaded for the next request, or after a moment.
    func kill(_ run: CachedRun, in context: WorkflowContext?) {
        run.die()
        let error = RequestError.unavailable("the workflow has to be loaded anew; try again")
        state.carryOut(state.queries.runEvicted(run.runID, error))
        guard let context else { return }
        // It may be stored as a closed run with debts, whether or not it owes something here.
        if !run.execution.isRunning {
            context.state.loseDebtor(run)
            state.deferred.retryLater { [self] in loads.add(.debtor(run.runID)) }
        }
        context.hasLostReports = true
        // Followers read again from the run that is loaded in its place.
        for waiter in state.runs.takeWaiters(of: run.runID, in: context) {
            state.deferred.call { waiter.notify(nil) }
        }
        guard context.cached === run else { return }
        context.state.lose(run)
        state.deferred.retryLater { [self] in perform { requestLoad(context) } }
    }
}
