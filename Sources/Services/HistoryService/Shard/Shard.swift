internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreThreads

/// A slice of the executions: one owner, one commit lane. Its state is changed under its lock only; what calls others
/// (Matching, callers) goes into `deferred` and is carried out without it.
///
/// Unchecked: what changes is under `lock`; `timerWake` and `isTimerPoked` are under `timerLock`.
final class Shard: @unchecked Sendable {
    enum Phase {
        /// Not owned yet.
        case taking
        case owned
        /// Fenced by another owner, or stopped.
        case dropped
    }

    let id: Int32
    let configuration: HistoryConfiguration
    let clock: @Sendable () -> Instant
    let encoder: any StatusEventEncoder
    let log: Logger
    let matching: @Sendable () -> (any MatchingClient)?

    /// Guards all that follows.
    let lock = ThreadLock()
    var phase = Phase.taking
    var epoch: Int64 = 0
    /// Whether snapshots may be written: every program that can take the shard reads them.
    var allowsSnapshots = false
    /// Since when the lane can't commit, by the steady clock.
    var stalledSince: Instant?
    /// Until when nobody else can have taken the shard, by the steady clock: what is in memory may be shown until then.
    var ownedUntil = Instant.distantPast
    /// The last time in which workers' reports were refused.
    var workerOutage = WorkerOutage.none
    var slots: [WorkflowKey: WorkflowSlot] = [:]
    var random = RandomSource.fromSystem()
    var queries = QueryTable()
    /// The newest command ids that were decided here: what the loader reads may be older.
    var recentCommands = RecentCommands(capacity: 1 << 16)
    var newWorkflows = NewWorkflows()
    var deferred = DeferredActions()
    /// Full queues for which runs in memory wait whose alarm rows name another one; some of them may have ended.
    var queuesBeside: Set<TaskQueueKey> = []
    /// Runs that may go idle, oldest first.
    var watched: [CachedRun] = []
    var timers = TimerHeap()
    /// The slots for whose history somebody waits.
    var waitedFor: [WorkflowKey: WorkflowSlot] = [:]

    /// The lane's queue, guarded by a lock of its own, on which the lane sleeps.
    let lane: LaneQueue
    let loads = LoadQueue()
    let timerLock = ThreadLock()
    var timerWake: Instant = .distantFuture
    var isTimerPoked = false

    init(
        id: Int32,
        configuration: HistoryConfiguration,
        clock: @escaping @Sendable () -> Instant,
        encoder: any StatusEventEncoder,
        matching: @escaping @Sendable () -> (any MatchingClient)?,
        log: Logger
    ) {
        self.id = id
        self.configuration = configuration
        self.clock = clock
        self.encoder = encoder
        self.matching = matching
        self.log = log
        lane = LaneQueue()
    }

    /// Runs `body` under the lock, then what it left to be done.
    func perform<Value>(_ body: () -> Value) -> Value {
        lock.lock()
        let value = body()
        let due = deferred.take()
        lock.unlock()
        due.carryOut(matching)
        return value
    }

    /// Why requests can't be taken now; nil when they can.
    func obstacle() -> RequestError? {
        switch phase {
        case .taking: return .unavailable("the server is starting: shard \(id) is not loaded yet; try again")
        case .dropped: return .unavailable("shard \(id) is not owned by this node; try again")
        case .owned: break
        }
        let now = SteadyClock.now()
        if now > ownedUntil || stalledSince.map({ now - $0 > .seconds(1) }) ?? false {
            return .unavailable("PostgreSQL can not be reached; try again")
        }
        return nil
    }

    /// Under the lock: the lease was lengthened at `since`, by the steady clock. Where requests were refused until now,
    /// workers get time to report.
    func extendLease(from since: Instant) {
        if obstacle() != nil { workerOutage = WorkerOutage(end: clock(), grace: configuration.recoveryGrace) }
        ownedUntil = since + .seconds(10)
    }

    /// Under the lock: the shard belongs to another owner, or the service stops. Nothing is taken any more, and who
    /// waits is told.
    func drop(_ failure: LaneFailure) {
        phase = .dropped
        let error = failure.error
        for slot in slots.values {
            for waiter in slot.state.abandon() { deferred.call { waiter.refuse(error) } }
            for waiter in slot.historyWaiters { deferred.call(waiter.expire) }
            slot.historyWaiters = []
        }
        carryOut(queries.removeAll(error), seen: nil)
        slots = [:]
        waitedFor = [:]
        queuesBeside = []
        watched = []
        deferred.cancelRetries()
        timers.removeAll()
        recentCommands.removeAll()
    }

    /// Whether new work has to wait: too much is on its way to the database, or to be read from it.
    var isFull: Bool {
        let limit = configuration.laneQueueLimit
        return lane.count >= limit || loads.count >= limit
    }

    func slot(_ key: WorkflowKey) -> WorkflowSlot {
        if let slot = slots[key] { return slot }
        let slot = WorkflowSlot(key)
        slots[key] = slot
        return slot
    }

    /// Forgets a slot that nobody needs.
    func dropIfUnused(_ slot: WorkflowSlot) {
        guard slot.canLeave, slots[slot.key] === slot else { return }
        if case .cached(let run) = slot.current, run.uncommitted > 0 || run.execution.isRunning { return }
        slots[slot.key] = nil
    }

    /// A run whose commit failed never happened: what is there is loaded, by whoever comes next, or in a moment.
    func kill(_ run: CachedRun, in slot: WorkflowSlot?) {
        run.die()
        let error = RequestError.unavailable("the workflow has to be loaded anew; try again")
        carryOut(queries.runEvicted(run.runID, error), seen: nil)
        guard let slot else { return }
        slot.hasLostReports = true
        // They look again, at what is loaded in its place.
        for waiter in slot.historyWaiters where waiter.runID == run.runID { deferred.call { waiter.news(nil) } }
        slot.historyWaiters.removeAll { $0.runID == run.runID }
        guard slot.cached === run else { return }
        slot.state.lose(run)
        deferred.retryLater { [self] in perform { requestLoad(slot) } }
    }
}

/// When runs have to be looked at, earliest first.
struct TimerHeap {
    struct Item {
        let at: Instant
        /// By name: a run that has closed must not be kept for a timeout that will never come.
        let key: WorkflowKey
        let runID: RunID
    }

    private var items: [Item] = []

    var earliest: Instant? { items.first?.at }
    var count: Int { items.count }

    mutating func insert(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0, items[child].at < items[(child - 1) / 2].at {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popDue(_ now: Instant) -> Item? {
        guard let first = items.first, first.at <= now else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child].at < items[least].at
            {
                least = child
            }
            if least == parent { return first }
            items.swapAt(parent, least)
            parent = least
        }
    }

    mutating func removeAll() { items = [] }

    /// Leaves out what is out of date.
    mutating func compact(keeping isLive: (Item) -> Bool) {
        let live = items.filter(isLive)
        items = []
        for item in live { insert(item) }
    }
}
