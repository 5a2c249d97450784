internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// The right to install a workflow's current run in its context. The loader takes a claim before it reads anything, so
/// what it installs cannot be older than what was in memory before.
struct LoadClaim: Hashable {
    let number: UInt64
}

/// What memory holds of a workflow id, who waits for it, and who may change it. Guarded by the shard's lock.
///
/// `current` is what is known of the newest run; `load` is what the loader has to do with it. While the loader reads
/// the run (`Load.reading`), only the holder of the claim may install one. `debtors` are closed runs that still owe
/// something. They are loaded each for itself, by its run id.
struct WorkflowContextState {
    enum Current {
        /// Nothing is known; the workflow has to be looked up.
        /// Can transition to: none, closed, cached (by a claim); cached (a start that assumes a new workflow).
        case unknown
        /// There never was a run. Can transition to: cached (a start).
        case none
        /// The newest run is closed and out of memory. Can transition to: cached (a start).
        case closed(RunRow)
        /// The newest run is open and out of memory. Can transition to: none, closed, cached (by a claim).
        case parked(RunRow)
        /// The newest run is in memory.
        /// Can transition to: cached (a start that follows it), closed, parked, unknown (its commit failed).
        case cached(CachedRun)
    }

    enum Load: Equatable {
        /// Nothing is to be read. Can transition to: queued (requested), owed (the run's commit failed).
        case idle
        /// The run has to come back even if nobody asks, and the loader has not been told yet. Can transition to:
        /// queued.
        case owed
        /// The loader has been told. Can transition to: reading, checking (taken by the loader).
        case queued(mustReturn: Bool)
        /// The loader reads the current run. Can transition to: idle (installed), owed (the read failed).
        case reading(LoadClaim, mustReturn: Bool)
        /// The run is known; the loader looks up commands only.
        /// Can transition to: idle, owed (the lookup failed), queued (the run left memory meanwhile).
        case checking(LoadClaim, mustReturn: Bool)
    }

    /// What a claim entitles the loader to do.
    enum Errand {
        /// Look the workflow up, read its run and install it.
        case readRun([LoadWaiter])
        /// Look up the commands of the waiters.
        case checkCommands([LoadWaiter])
    }

    /// How an errand ended.
    enum Completion: Equatable {
        /// The waiters of the errand go on.
        case proceed
        /// The run left memory while its commands were looked up. The waiters are queued again: tell the loader.
        case tellLoader
    }

    /// Who is refused when a read fails.
    struct Failure {
        let refused: [LoadWaiter]
        /// The run has to come back all the same: request the load again later.
        let isOwed: Bool
    }

    private(set) var current = Current.unknown
    private(set) var load = Load.idle
    /// Closed runs in memory that owe something and are not the current run any more.
    private(set) var debtors: [CachedRun] = []
    /// Closed runs that the loader reads because they owe something.
    private(set) var debtorsBeingRead: Set<RunID> = []
    /// Requests that wait for the loader, in order.
    private(set) var waiting: [LoadWaiter] = []

    /// Whether a request that needs no command looked up can go on at once. An open run has to be in memory.
    var isReady: Bool {
        switch current {
        case .none, .closed, .cached: true
        case .unknown, .parked: false
        }
    }

    /// Nobody waits for the loader or expects anything of it.
    var isSettled: Bool { waiting.isEmpty && load == .idle }

    /// The workflow has closed runs that owe something, or may.
    var hasDebtors: Bool { !debtors.isEmpty || !debtorsBeingRead.isEmpty }

    // MARK: Requests

    /// A request waits for the loader. Returns whether the loader has to be told.
    mutating func wait(_ waiter: LoadWaiter) -> Bool {
        waiting.append(waiter)
        return requestLoad()
    }

    /// Returns whether the loader has to be told.
    mutating func requestLoad() -> Bool {
        switch load {
        case .idle: load = .queued(mustReturn: false)
        case .owed: load = .queued(mustReturn: true)
        case .queued, .reading, .checking: return false
        }
        return true
    }

    /// The run has to come back to memory even if nobody asks: it has tasks or timers. Returns whether the loader has
    /// to be told.
    mutating func requestReturn() -> Bool {
        guard !isReady else { return false }
        switch load {
        case .idle, .owed:
            load = .queued(mustReturn: true)
            return true
        case .queued: load = .queued(mustReturn: true)
        case .reading(let claim, _): load = .reading(claim, mustReturn: true)
        case .checking(let claim, _): load = .checking(claim, mustReturn: true)
        }
        return false
    }

    /// The first waiter, if it can go on without the loader.
    mutating func nextReadyWaiter() -> LoadWaiter? {
        guard isReady, let next = waiting.first, next.commandID.isEmpty else { return nil }
        return waiting.removeFirst()
    }

    /// The shard is dropped: returns those who wait.
    mutating func abandon() -> [LoadWaiter] {
        defer { waiting = [] }
        return waiting
    }

    // MARK: The loader

    /// The loader takes up what was requested. Who comes from now on waits for the next errand.
    mutating func begin(_ claim: LoadClaim) -> Errand {
        guard case .queued(let mustReturn) = load else { preconditionFailure("nothing was requested of the loader") }
        defer { waiting = [] }
        if isReady {
            load = .checking(claim, mustReturn: mustReturn)
            return .checkCommands(waiting)
        }
        load = .reading(claim, mustReturn: mustReturn)
        return .readRun(waiting)
    }

    /// The run was read; `found` becomes what is known. `unknown` is installed where the run cannot be rebuilt.
    mutating func install(_ found: Current, by claim: LoadClaim) {
        guard case .reading(claim, _) = load else { preconditionFailure("a run was installed without a claim") }
        precondition(!isReady, "a run was installed over another one")
        if case .parked = found { preconditionFailure("an open run was read and not rebuilt") }
        current = found
        load = .idle
    }

    /// The commands of `waiters` were looked up.
    mutating func finishCheck(by claim: LoadClaim, _ waiters: [LoadWaiter]) -> Completion {
        guard case .checking(claim, let mustReturn) = load else {
            preconditionFailure("commands were looked up without a claim")
        }
        guard isReady else {
            waiting = waiters + waiting
            load = .queued(mustReturn: mustReturn)
            return .tellLoader
        }
        load = .idle
        return .proceed
    }

    /// The database failed. Those who came meanwhile are refused too: they would pass the others, who come again later.
    mutating func fail(_ claim: LoadClaim, _ waiters: [LoadWaiter]) -> Failure {
        let isOwed: Bool
        switch load {
        case .reading(claim, let mustReturn): isOwed = mustReturn
        case .checking(claim, let mustReturn): isOwed = mustReturn && !isReady
        default: preconditionFailure("a read failed without a claim")
        }
        load = isOwed ? .owed : .idle
        defer { waiting = [] }
        return Failure(refused: waiters + waiting, isOwed: isOwed)
    }

    // MARK: Runs

    /// A start makes its run the current one. Nothing may be known of the workflow (the commit then finds out whether
    /// it is new), but nobody may be reading it.
    mutating func start(_ run: CachedRun) {
        if case .reading = load { preconditionFailure("a run was started while the current one was being read") }
        precondition(isReady || isSettled, "a run was started before the current one was read")
        if case .cached(let previous) = current { keepDebtor(previous) }
        current = .cached(run)
    }

    /// The run's alarm is committed: it leaves memory.
    mutating func park(_ run: CachedRun) {
        requireCurrent(run)
        precondition(run.execution.isRunning && run.uncommitted == 0, "a run left memory before it was committed")
        current = .parked(run.row)
    }

    /// The run has closed, and all of it is committed: it leaves memory, unless it owes something.
    mutating func close(_ run: CachedRun) {
        requireCurrent(run)
        precondition(!run.execution.isRunning && run.uncommitted == 0, "a run left memory before it was committed")
        keepDebtor(run)
        current = .closed(run.row)
    }

    /// The run's commit failed: what is in the database has to be read. Request the load soon.
    mutating func lose(_ run: CachedRun) {
        requireCurrent(run)
        current = .unknown
        switch load {
        case .idle, .owed: load = .owed
        case .queued: load = .queued(mustReturn: true)
        case .checking(let claim, _): load = .checking(claim, mustReturn: true)
        case .reading: preconditionFailure("a run was in memory while it was being read")
        }
    }

    // MARK: Closed runs with debts

    /// The loader begins to read a closed run that may owe something. False where the run is in memory, or being read:
    /// what is read now would be older.
    mutating func beginReadingDebtor(_ runID: RunID) -> Bool {
        if case .cached(let run) = current, run.runID == runID { return false }
        if debtors.contains(where: { $0.runID == runID }) { return false }
        return debtorsBeingRead.insert(runID).inserted
    }

    /// The loader has read a closed run; nil: it could not, or there is no such run any more.
    mutating func finishReadingDebtor(_ runID: RunID, _ run: CachedRun?) {
        precondition(debtorsBeingRead.remove(runID) != nil, "a closed run was installed without a claim")
        if let run { keepDebtor(run) }
    }

    /// The run has settled its last debt, and that is committed.
    mutating func forgetDebtor(_ run: CachedRun) {
        precondition(!run.isDebtor, "a run was forgotten that owes something")
        debtors.removeAll { $0 === run }
    }

    /// The run's commit failed: what is in the database has to be read. Load it by its id soon.
    mutating func loseDebtor(_ run: CachedRun) {
        debtors.removeAll { $0 === run }
    }

    private mutating func keepDebtor(_ run: CachedRun) {
        guard run.isDebtor else { return }
        precondition(!debtors.contains { $0.runID == run.runID }, "a closed run is in memory twice")
        // No worker gets its events any more.
        run.tail = nil
        run.tailClaim = nil
        debtors.append(run)
    }

    private func requireCurrent(_ run: CachedRun) {
        guard case .cached(let current) = current, current === run else {
            preconditionFailure("a run that is not current was taken out of its context")
        }
    }
}

/// A request that waits until its workflow is in memory.
struct LoadWaiter: Sendable {
    /// The command to look up with it; empty for none.
    let commandID: String
    let proceed: @Sendable (Shard, WorkflowContext, _ isKnownCommand: Bool) -> Void
    let refuse: @Sendable (RequestError) -> Void
}
