internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Everything that a shard's lock guards.
///
/// Whenever the lock is free:
/// - `deferred` holds nothing to carry out, only actions to repeat later. `Shard.perform` takes the rest.
/// - A shard that was dropped is empty: no contexts, timers, queries, updates, commands, or actions to repeat.
/// - An open run in memory is listed in `runs.idle`, unless an item that lets it leave is queued. `timers` holds an
///   item that is no later than its next deadline. Other items of `timers` are out of date.
/// - A query that waits for a workflow task, or is attached to one, belongs to a run in memory.
/// - `recentCommands` holds no command whose commit failed.
/// - If `backlogRows` is `none`, the backlog has no row of this shard, and none is queued.
struct ShardState {
    var ownership: ShardOwnership
    /// Whether snapshots may be written, because every program that can take the shard reads them.
    var allowsSnapshots = false
    var runs = RunTable()
    var timers = TimerHeap()
    var queries = QueryTable()
    var updates = UpdateTable()
    /// The newest commands that were decided here. The loader may have read before they were committed.
    var recentCommands = RecentCommands(capacity: 1 << 16)
    var newWorkflows = NewWorkflows()
    var backlogRows = BacklogRows.unknown
    /// What runs owe others.
    var debts = DebtQueue()
    /// Who writes without a pause.
    var busyFamilies = BusyFamilies(slices: SliceTable.sliceCount)
    /// Whether all runs that were active when the shard was taken have been loaded.
    var isRecovered = false
    var deferred = DeferredActions()
    var random: RandomSource
    /// What was done in this hold of the lock, where somebody asks; else since the beginning.
    var work = HoldWork()

    /// - Parameter grace: the least time that workers get to report after an outage.
    init(grace: Interval, random: RandomSource) {
        ownership = ShardOwnership(grace: grace)
        self.random = random
    }

    // MARK: Requests

    /// Whether a request for a workflow can proceed at once. Requests that wait go first.
    ///
    /// - Parameter mayAssumeNew: the request may proceed with a workflow of which nothing is known.
    mutating func canProceed(
        _ context: WorkflowContext,
        commandID: String = "",
        mayAssumeNew: Bool = false
    ) -> Bool {
        let isReady =
            context.state.isReady || (mayAssumeNew && context.isUntouched && newWorkflows.assumes(context.key))
        return isReady && commandID.isEmpty && context.state.waiting.isEmpty
    }

    /// Carries out actions for queries. A failure must reveal nothing that is not committed.
    mutating func carryOut(_ actions: [QueryAction]) {
        for action in actions { carryOut(action) }
    }

    mutating func carryOut(_ action: QueryAction) {
        switch action {
        case .offer(let task): deferred.offer(task)
        case .answer(let query, let answer): deferred.call { query.finish(.success(answer)) }
        case .fail(let query, let error): deferred.call { query.finish(.failure(error)) }
        }
    }

    /// Carries out actions for the callers of updates. They must reveal nothing that is not committed.
    mutating func carryOut(_ actions: [UpdateAction]) {
        for action in actions {
            switch action {
            case .answer(let waiter, let status): deferred.call { waiter.finish(.success(status)) }
            case .fail(let waiter, let error): deferred.call { waiter.finish(.failure(error)) }
            case .askAgain(let waiter, let error): deferred.sendAgain { waiter.ask(insteadOf: error) }
            }
        }
    }

    mutating func offer(_ offers: [TaskOffer], of run: CachedRun) {
        for offer in offers { deferred.offer(offer.task(of: run)) }
    }

    // MARK: Timers

    /// Arms a run for its next deadline. Returns the deadline if it is the earliest of the shard.
    mutating func arm(_ run: CachedRun) -> Instant? {
        guard let next = run.execution.nextDeadline, run.armed.arm(for: next) else { return nil }
        timers.insert(TimerHeap.Item(at: next, key: run.key, runID: run.runID))
        return timers.earliest == next ? next : nil
    }

    /// Removes the timers of runs that have left memory.
    mutating func compactTimers() {
        let runs = runs
        timers.compact { item in
            guard let run = runs[item.key]?.cached else { return false }
            return run.runID == item.runID && run.armed.at == item.at && run.execution.isRunning
        }
    }

    // MARK: All

    /// Frees capacity that a burst needed.
    mutating func shrink() {
        runs.shrink()
        compactTimers()
    }

    /// Drops the shard: empties memory, and refuses the requests that wait and these items.
    mutating func drop(_ failure: LaneFailure, refusing items: [LaneItem]) {
        ownership.drop()
        let error = failure.error
        for context in runs.removeAll() {
            for waiter in context.state.abandon() { deferred.call { waiter.refuse(error) } }
            for waiter in context.historyWaiters { deferred.call(waiter.expire) }
            context.historyWaiters = []
        }
        carryOut(queries.removeAll(error))
        carryOut(updates.removeAll(error))
        backlogRows = .unknown
        debts = DebtQueue()
        isRecovered = false
        deferred.cancelRetries()
        timers.removeAll()
        recentCommands.removeAll()
        for item in items { deferred.call { item.refuse?(failure) } }
    }
}
