internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// A shard's loader. It reads from PostgreSQL in batches, so that nobody reads while holding a lock. `LoadSchedule`
/// decides what it does next. The loaders of all shards take turns on a few threads.
///
/// Unchecked: used by one thread at a time, the one that gives it a turn.
final class Loader: @unchecked Sendable {
    let shard: Shard
    /// The connection of the thread that gives the current turn.
    private var connection: LoaderConnection?
    var lastClaim: UInt64 = 0
    /// Loads that did not fit in one turn, in the order in which they continue.
    private var unfinished: [PendingLoad] = []
    /// Whether a pass over the parked runs is under way.
    var isWaking = false
    var retention = RetentionPlan()
    var retentionStep = RetentionStep()
    private let tails: TailBudget
    let bounds: WorkBounds
    let onRecovered: @Sendable () -> Void
    let onWaitingQueues: @Sendable ([TaskQueueKey]) -> Void

    /// The pause after a failure of the database.
    static let retryPause = Interval.milliseconds(250)

    init(
        shard: Shard,
        onWaitingQueues: @escaping @Sendable ([TaskQueueKey]) -> Void,
        onRecovered: @escaping @Sendable () -> Void
    ) {
        self.onWaitingQueues = onWaitingQueues
        self.shard = shard
        self.onRecovered = onRecovered
        bounds = shard.configuration.bounds
        tails = TailBudget(limit: bounds.tailBytes)
    }

    /// Carries out the jobs of one turn. Returns when the next turn is due, by the steady clock; nil: when a job is
    /// added.
    func turn(_ connection: LoaderConnection) -> Instant? {
        self.connection = connection
        defer { self.connection = nil }
        switch shard.loads.next(at: shard.steadyClock(), isLaneFull: shard.isLaneHalfFull) {
        case .wait(let until): return until
        case .turn(let jobs):
            carryOut(jobs)
            return .distantPast
        }
    }

    private func carryOut(_ jobs: [LoadJob]) {
        var contexts: [WorkflowContext] = []
        var debtors: [RunID] = []
        var runs: [(RunID, @Sendable (Result<RunRow?, RequestError>) -> Void)] = []
        for job in jobs {
            switch job {
            case .workflow(let context): contexts.append(context)
            case .run(let id, let done): runs.append((id, done))
            case .debtor(let id): debtors.append(id)
            case .read(let read, let failed):
                if case .failure(let error) = withStore(read) { failed(error) }
            case .closedRun(let row): continueLoad(PendingLoad(reading: row))
            case .journals: if !unfinished.isEmpty { continueLoad(unfinished.removeFirst()) }
            case .wakeParked(let last): wakeParked(after: last)
            case .recover(let after, let count): recover(after: after, count: count)
            case .pageIn(let queue, let limit, let done): pageIn(queue, limit: limit, done)
            case .erase: erase()
            case .retain: retain()
            }
        }
        if !contexts.isEmpty { load(contexts) }
        if !debtors.isEmpty { loadDebtors(debtors) }
        if !runs.isEmpty { loadRuns(runs) }
    }

    /// Fails the unfinished loads. Called after the last turn.
    func end() {
        let dropped = unfinished
        unfinished = []
        for pending in dropped { failLoad(pending, .unavailable("the server is stopping; try again")) }
    }

    func withStore<Value>(_ body: (any LoaderStore) throws(CommitError) -> Value) -> Result<Value, RequestError> {
        guard let connection else { preconditionFailure("a loader reads out of turn") }
        return connection.read(body)
    }

    private func loadRuns(_ runs: [(RunID, @Sendable (Result<RunRow?, RequestError>) -> Void)]) {
        let rows = withStore { (store) throws(CommitError) in try store.loadRuns(runs.map(\.0)) }
        for (id, done) in runs { done(rows.map { $0[id] }) }
    }

    // MARK: Workflows

    /// Looks up workflows and commands, reads open runs, and lets their waiters proceed.
    ///
    /// Contexts are claimed before anything is read. Nobody changes a run that is not in memory, so what is read after
    /// the claim stays current. Rows that were read earlier only say which contexts to claim.
    ///
    /// - Parameters:
    ///   - debtors: closed runs to read as well.
    ///   - pagedIn: the tasks for which the runs come back. Their rows are removed.
    ///   - then: called when all are settled, with false if the database failed.
    func load(
        _ contexts: [WorkflowContext],
        debtors: [ClaimedDebtor] = [],
        pagedIn: PagedTasks? = nil,
        then: @escaping (_ isDone: Bool) -> Void = { _ in }
    ) {
        let claimed = shard.perform { contexts.filter { isLive($0) }.map { claim($0) } }
        guard !claimed.isEmpty || !debtors.isEmpty else { return then(true) }
        let answers = withStore { (store) throws(CommitError) in try lookUp(claimed, in: store) }
        switch answers {
        case .failure(let error):
            settle(claimed) { fail($0, error) }
            settle(debtors) { finish($0.row.runID, nil, in: $0.context) }
            then(false)
        case .success(let (known, rows, alarms)):
            let pending = PendingLoad(
                claimed,
                rows,
                debtors: debtors,
                known: known,
                alarms: alarms,
                pagedIn: pagedIn,
                then: then
            )
            settle(claimed.filter { !pending.isReading($0) }) { entry in
                let row = rows[entry.context.key]
                finish(entry, row.map { .closed($0) } ?? .noRun, pending)
            }
            continueLoad(pending)
        }
    }

    private func lookUp(
        _ claimed: [ClaimedContext],
        in store: any LoaderStore
    ) throws(CommitError) -> (known: Set<LookUp>, rows: [WorkflowKey: RunRow], alarms: [RunID: Instant]) {
        var questions: [LookUp] = []
        for entry in claimed {
            let commands = entry.waiters.map(\.commandID).filter { !$0.isEmpty }
            if commands.isEmpty { questions.append(LookUp(key: entry.context.key, commandID: "")) }
            questions += commands.map { LookUp(key: entry.context.key, commandID: $0) }
        }
        // Closed runs with debts need no lookup.
        var known: Set<LookUp> = []
        var rows: [WorkflowKey: RunRow] = [:]
        var alarms: [RunID: Instant] = [:]
        var rest = questions[...]
        // Many commands may wait for one workflow.
        while !rest.isEmpty {
            let part = Array(rest.prefix(bounds.lookUps))
            rest = rest.dropFirst(part.count)
            for (question, answer) in zip(part, try store.lookUp(part)) {
                if answer.isKnownCommand { known.insert(question) }
                rows[question.key] = answer.run
                if let run = answer.run { alarms[run.runID] = answer.alarm }
            }
        }
        return (known, rows, alarms)
    }

    /// Reads the next page of journals, and a page of the heartbeats of the runs that it completes. The rest waits for
    /// the next turn.
    private func continueLoad(_ pending: PendingLoad) {
        guard !pending.journals.isFinished || pending.heartbeats.question != nil else { return pending.then(true) }
        let outcome = withStore { (store) throws(CommitError) in
            if pending.heartbeats.question == nil {
                let question = pending.journals.question
                let page = try store.loadJournals(question.runIDs, after: question.after, byteLimit: bounds.pageBytes)
                let finished = pending.journals.take(page, at: shard.clock())
                pending.heartbeats = HeartbeatLoad(finished.map { .init(row: $0.row, found: rebuild($0)) })
            }
            // Runs whose heartbeats cannot be read are not installed: the rest of the load fails.
            guard let question = pending.heartbeats.question else { return }
            let page = try store.loadHeartbeats(question.runIDs, after: question.after, byteLimit: bounds.pageBytes)
            pending.heartbeats.take(page)
        }
        if case .failure(let error) = outcome {
            failLoad(pending, error)
            return pending.then(false)
        }
        if pending.heartbeats.question == nil {
            let runs = pending.heartbeats.runs
            pending.heartbeats = HeartbeatLoad()
            install(runs, pending)
            if pending.journals.isFinished { return pending.then(true) }
        }
        unfinished.append(pending)
        shard.loads.add(.journals)
    }

    private func install(_ runs: [HeartbeatLoad.Rebuilt], _ pending: PendingLoad) {
        settle(runs) { rebuilt in
            switch pending.destinations.removeValue(forKey: rebuilt.row.runID) {
            case .context(let entry)?: finish(entry, rebuilt.found, pending)
            case .debtor(let context)?: finish(rebuilt.row.runID, rebuilt.found, in: context)
            case .readers?:
                for reader in shard.loads.takeReaders(of: rebuilt.row.runID) {
                    shard.state.deferred.call { reader.answer(rebuilt.found, rebuilt.row) }
                }
            case nil: preconditionFailure("a run was read that nobody asked for")
            }
        }
    }

    /// Handles elements under the lock, a part of them in each hold, so that no hold is long.
    private func settle<Element>(_ elements: [Element], _ body: (Element) -> Void) {
        var rest = elements[...]
        while !rest.isEmpty {
            let part = rest.prefix(bounds.settledRuns)
            rest = rest.dropFirst(part.count)
            shard.perform { for element in part { body(element) } }
        }
    }

    private func failLoad(_ pending: PendingLoad, _ error: RequestError) {
        let destinations = pending.destinations.sorted { $0.key < $1.key }
        pending.destinations = [:]
        settle(destinations) { runID, destination in
            switch destination {
            case .context(let entry): fail(entry, error)
            case .debtor(let context): finish(runID, nil, in: context)
            case .readers:
                for reader in shard.loads.takeReaders(of: runID) {
                    shard.state.deferred.call { reader.failed(error) }
                }
            }
        }
    }

    private func rebuild(_ end: JournalLoad.Finished) -> LoadedRun {
        do {
            return .run(try CachedRun.rebuilt(end.replay.get(), keepingTailsWithin: tails))
        } catch {
            let isMissing = error is CachedRun.MissingJournal
            // A closed run may be deleted while it is read.
            if !isMissing || end.row.status == .running {
                var metadata = shard.about(end.row.key, end.row.runID)
                metadata["error"] = "\(error)"
                shard.log.error("a run's journal cannot be read", metadata: metadata)
            }
            let message = "the journal of run \(end.row.runID) cannot be read: \(error)"
            return .broken(RequestError(.internalError, message), isMissing: isMissing)
        }
    }
}
