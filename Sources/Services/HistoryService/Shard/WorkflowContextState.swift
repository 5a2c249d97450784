internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// The right to install a workflow's current run in its context. The loader takes a claim before it reads anything, so
/// it never installs a run that is older than one that was in memory before.
struct LoadClaim: Hashable {
    let number: UInt64
}

/// What memory holds of a workflow, who waits for it, and who may change it.
///
/// `current` is what is known about the newest run. `load` is the loader's part. While the loader reads the run
/// (`Load.reading`), only the holder of the claim may install one. `debtors` are closed runs with debts. Each is loaded
/// separately, by its run id.
struct WorkflowContextState {
    enum Current {
        /// Nothing is known. The workflow has to be looked up.
        ///
        /// Can transition to: none, closed, deleted, cached (by a claim); cached (a start that assumes a new workflow).
        case unknown
        /// The workflow never had a run.
        ///
        /// Can transition to: cached (a start).
        case none
        /// The newest run is closed and out of memory.
        ///
        /// Can transition to: cached (a start), deleted.
        case closed(RunRow)
        /// The newest run was deleted, so the workflow has no current run, whatever runs it had before.
        ///
        /// Can transition to: cached (a start).
        case deleted(RunID)
        /// The newest run is open and out of memory.
        ///
        /// Can transition to: none, closed, cached (by a claim).
        case parked(RunRow)
        /// The newest run is in memory.
        ///
        /// Can transition to: cached (a start that follows it), closed, deleted, parked, unknown (its commit failed).
        case cached(CachedRun)
    }

    enum Load: Equatable {
        /// There is nothing to read.
        ///
        /// Can transition to: queued (requested), owed (the run's commit failed).
        case idle
        /// The run has to be loaded even if nobody asks for it, and the loader has not been told yet.
        ///
        /// Can transition to: queued.
        case owed
        /// The loader has been told.
        ///
        /// Can transition to: reading, checking (taken by the loader).
        case queued(mustReturn: Bool)
        /// The loader reads the current run.
        ///
        /// Can transition to: idle (installed), owed (the read failed).
        case reading(LoadClaim, mustReturn: Bool)
        /// The run is known, and the loader looks up only commands.
        ///
        /// Can transition to: idle, owed (the lookup failed), queued (the run left memory meanwhile).
        case checking(LoadClaim, mustReturn: Bool)
    }

    /// What the loader does with a claim.
    enum Errand {
        /// Look the workflow up, read its run and install it.
        case readRun([LoadWaiter])
        /// Look up the commands of the waiters.
        case checkCommands([LoadWaiter])
    }

    /// How an errand ended.
    enum Completion: Equatable {
        /// The errand's waiters proceed.
        case proceed
        /// The run left memory while commands were looked up, so the waiters are queued again. Tell the loader.
        case tellLoader
    }

    /// Who is refused when a read fails.
    struct Failure {
        let refused: [LoadWaiter]
        /// The run still has to be loaded. Request the load again later.
        let isOwed: Bool
    }

    private(set) var current = Current.unknown
    private(set) var load = Load.idle
    /// Closed runs in memory that have debts and are no longer the current run.
    private(set) var debtors: [CachedRun] = []
    /// Closed runs with debts that the loader is reading.
    private(set) var debtorsBeingRead: Set<RunID> = []
    /// Closed runs out of memory whose deletions are being committed.
    private(set) var deletions: Set<RunID> = []
    /// Requests that wait for the loader, in order.
    private(set) var waiting: [LoadWaiter] = []

    /// Whether a request without a command to look up can proceed at once. An open run has to be in memory.
    var isReady: Bool {
        switch current {
        case .none, .closed, .deleted, .cached: true
        case .unknown, .parked: false
        }
    }

    /// Whether nothing is requested of the loader.
    var isSettled: Bool { waiting.isEmpty && load == .idle }

    /// Whether the workflow has closed runs that have debts, or may have.
    var hasDebtors: Bool { !debtors.isEmpty || !debtorsBeingRead.isEmpty }

    // MARK: Requests

    /// A request waits for the loader. Returns whether to tell the loader.
    mutating func wait(_ waiter: LoadWaiter) -> Bool {
        waiting.append(waiter)
        return requestLoad()
    }

    /// Returns whether to tell the loader.
    mutating func requestLoad() -> Bool {
        switch load {
        case .idle: load = .queued(mustReturn: false)
        case .owed: load = .queued(mustReturn: true)
        case .queued, .reading, .checking: return false
        }
        return true
    }

    /// The run has to be loaded even if nobody asks for it, because it has tasks or timers. Returns whether to tell the
    /// loader.
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

    /// Takes the first waiter, if it can proceed without the loader.
    mutating func nextReadyWaiter() -> LoadWaiter? {
        guard isReady, let next = waiting.first, next.commandID.isEmpty else { return nil }
        return waiting.removeFirst()
    }

    /// The shard is dropped. Returns the waiters.
    mutating func abandon() -> [LoadWaiter] {
        defer { waiting = [] }
        return waiting
    }

    // MARK: The loader

    /// The loader takes the request. Later waiters wait for its next errand.
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

    /// The run was read, and `found` is what is known now. It is `unknown` if the run could not be rebuilt.
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

    /// The database failed. Requests that came meanwhile are refused too, so that they do not overtake the others.
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

    /// A start makes its run the current one. If nothing is known about the workflow, the commit checks that it is new.
    /// The loader must not be reading it.
    mutating func start(_ run: CachedRun) {
        if case .reading = load { preconditionFailure("a run was started while the current one was being read") }
        precondition(isReady || isSettled, "a run was started before the current one was read")
        if case .cached(let previous) = current { keepDebtor(previous) }
        current = .cached(run)
    }

    /// The run leaves memory. Its alarm is committed.
    mutating func park(_ run: CachedRun) {
        requireCurrent(run)
        precondition(run.execution.isRunning && run.uncommitted == 0, "a run left memory before it was committed")
        current = .parked(run.row)
    }

    /// The run has closed, and all of it is committed. It leaves memory unless it has debts.
    mutating func close(_ run: CachedRun) {
        requireCurrent(run)
        precondition(!run.execution.isRunning && run.uncommitted == 0, "a run left memory before it was committed")
        keepDebtor(run)
        current = run.isDeleted ? .deleted(run.runID) : .closed(run.row)
    }

    /// The run's commit failed, so the stored run has to be read. Request the load soon.
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

    // MARK: Deletions

    /// The deletion of a closed run that is out of memory is queued.
    mutating func beginDeletion(_ runID: RunID) {
        precondition(deletions.insert(runID).inserted, "a run is deleted twice")
    }

    /// The deletion is committed, or has failed.
    mutating func endDeletion(_ runID: RunID, isCommitted: Bool) {
        precondition(deletions.remove(runID) != nil, "the deletion of a run ends twice")
        guard isCommitted, case .closed(let row) = current, row.runID == runID else { return }
        current = .deleted(runID)
    }

    // MARK: Closed runs with debts

    /// The loader begins to read a closed run that may have debts. Returns false if the run is in memory or being read,
    /// since another read could be older.
    mutating func beginReadingDebtor(_ runID: RunID) -> Bool {
        if case .cached(let run) = current, run.runID == runID { return false }
        if debtors.contains(where: { $0.runID == runID }) { return false }
        return debtorsBeingRead.insert(runID).inserted
    }

    /// The loader has read a closed run. `run` is nil if the read failed, or if the run no longer exists.
    mutating func finishReadingDebtor(_ runID: RunID, _ run: CachedRun?) {
        precondition(debtorsBeingRead.remove(runID) != nil, "a closed run was installed without a claim")
        if let run { keepDebtor(run) }
    }

    /// The settlement of the run's last debt is committed.
    mutating func forgetDebtor(_ run: CachedRun) {
        precondition(!run.isDebtor, "a run was forgotten that owes something")
        debtors.removeAll { $0 === run }
    }

    /// The run's commit failed, so the stored run has to be read. Load it by its id soon.
    mutating func loseDebtor(_ run: CachedRun) {
        debtors.removeAll { $0 === run }
    }

    private mutating func keepDebtor(_ run: CachedRun) {
        guard run.isDebtor else { return }
        precondition(!debtors.contains { $0.runID == run.runID }, "a closed run is in memory twice")
        // No worker will get its events.
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
    /// The command to look up with the workflow; empty for none.
    let commandID: String
    let proceed: @Sendable (Shard, WorkflowContext, _ isKnownCommand: Bool) -> Void
    let refuse: @Sendable (RequestError) -> Void
}
