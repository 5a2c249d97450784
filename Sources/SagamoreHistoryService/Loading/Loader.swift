internal import Glibc
internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// A shard's loader: the thread that reads from PostgreSQL, in batches, so that nobody who holds a lock has to.
final class Loader: @unchecked Sendable {
    private let shard: Shard
    private let makeStore: @Sendable () throws -> any LoaderStore
    private var store: (any LoaderStore)?
    private let onRecovered: @Sendable () -> Void

    init(
        shard: Shard,
        makeStore: @escaping @Sendable () throws -> any LoaderStore,
        onRecovered: @escaping @Sendable () -> Void
    ) {
        self.shard = shard
        self.makeStore = makeStore
        self.onRecovered = onRecovered
    }

    func run() {
        while let jobs = shard.loads.take(atMost: 256) {
            var slots: [WorkflowSlot] = []
            for job in jobs {
                switch job {
                case .workflow(let slot): slots.append(slot)
                case .run(let id, let done): load(run: id, done)
                case .read(let read, let failed): carryOut(read, failed)
                case .recover: recover()
                case .wakeParked(let instant): wakeParked(before: instant)
                }
            }
            if !slots.isEmpty { load(slots) }
        }
    }

    private func withStore<Value>(_ body: (any LoaderStore) throws(CommitError) -> Value) -> Result<Value, RequestError> {
        do {
            let store = try self.store ?? makeStore()
            self.store = store
            return .success(try body(store))
        } catch {
            // The next use makes a new connection.
            store = nil
            shard.log.warning("reading from PostgreSQL failed", metadata: ["error": "\(error)"])
            return .failure(.unavailable("PostgreSQL can not be reached; try again"))
        }
    }

    private func carryOut(
        _ read: (any LoaderStore) throws(CommitError) -> Void,
        _ failed: @Sendable (RequestError) -> Void
    ) {
        if case .failure(let error) = withStore(read) { failed(error) }
    }

    private func load(run id: RunID, _ done: @Sendable (Result<RunRow?, RequestError>) -> Void) {
        done(withStore { (store) throws(CommitError) in try store.loadRuns([id])[id] })
    }

    // MARK: Workflows

    private func load(_ slots: [WorkflowSlot]) {
        // The waiters of now; who comes while the database is asked waits for the next round.
        let asked = shard.perform {
            slots.map { slot in
                let waiters = slot.waiting
                slot.waiting = []
                return (slot: slot, waiters: waiters, isReady: slot.isReady)
            }
        }
        var questions: [LookUp] = []
        for entry in asked {
            let commands = entry.waiters.map(\.commandID).filter { !$0.isEmpty }
            if commands.isEmpty { questions.append(LookUp(key: entry.slot.key, commandID: "")) }
            questions += commands.map { LookUp(key: entry.slot.key, commandID: $0) }
        }
        let outcome = withStore { (store) throws(CommitError) -> (Set<LookUp>, [WorkflowKey: LoadedRun]) in
            let answers = try store.lookUp(questions)
            var known: Set<LookUp> = []
            var rows: [WorkflowKey: RunRow] = [:]
            for (question, answer) in zip(questions, answers) {
                if answer.isKnownCommand { known.insert(question) }
                rows[question.key] = answer.run
            }
            let unread = asked.filter { !$0.isReady }.compactMap { rows[$0.slot.key] }
            return (known, try self.read(unread, from: store))
        }
        shard.perform {
            for entry in asked { finish(entry.slot, entry.waiters, outcome) }
        }
    }

    /// A run as it was read.
    private enum LoadedRun {
        case closed(RunRow)
        case open(CachedRun)
        case broken(RequestError)
    }

    private func read(
        _ rows: [RunRow],
        from store: any LoaderStore
    ) throws(CommitError) -> [WorkflowKey: LoadedRun] {
        var loaded: [WorkflowKey: LoadedRun] = [:]
        let open = rows.filter { $0.status == .running }
        for row in rows where row.status != .running { loaded[row.key] = .closed(row) }
        guard !open.isEmpty else { return loaded }
        let journals = try store.loadJournals(open.map(\.runID))
        for row in open { loaded[row.key] = rebuild(row, journals[row.runID] ?? []) }
        return loaded
    }

    private func rebuild(_ row: RunRow, _ journal: [JournalRow]) -> LoadedRun {
        do {
            let run = try CachedRun.rebuilt(row, journal, configuration: shard.configuration, at: shard.clock())
            return .open(run)
        } catch {
            shard.log.error(
                "a run's journal can not be read",
                metadata: ["run": row.runID.description, "error": "\(error)"]
            )
            return .broken(RequestError(.internalError, "the journal of run \(row.runID) can not be read: \(error)"))
        }
    }

    /// Under the lock: installs what was read, and lets the waiters go on in order.
    private func finish(
        _ slot: WorkflowSlot,
        _ waiters: [LoadWaiter],
        _ outcome: Result<(Set<LookUp>, [WorkflowKey: LoadedRun]), RequestError>
    ) {
        slot.isLoading = false
        switch outcome {
        case .failure(let error):
            for waiter in waiters { shard.afterwards.append { waiter.refuse(error) } }
        case .success(let (known, runs)):
            var problem: RequestError?
            if !slot.isReady { problem = install(runs[slot.key], in: slot) }
            for waiter in waiters {
                if let problem {
                    shard.afterwards.append { waiter.refuse(problem) }
                    continue
                }
                let command = LookUp(key: slot.key, commandID: waiter.commandID)
                let isKnown = known.contains(command) || shard.recentCommands.contains(command)
                waiter.proceed(shard, slot, !waiter.commandID.isEmpty && isKnown)
            }
        }
        if !slot.waiting.isEmpty { shard.requestLoad(slot) }
        shard.dropIfUnused(slot)
    }

    /// Under the lock.
    private func install(_ run: LoadedRun?, in slot: WorkflowSlot) -> RequestError? {
        let wasParked = if case .parked = slot.current { true } else { false }
        switch run {
        case nil: slot.current = .none
        case .closed(let row)?: slot.current = .closed(row)
        case .broken(let error)?: return error
        case .open(let run)?:
            run.isParkedInStore = wasParked
            adopt(run, in: slot)
        }
        return nil
    }

    /// Under the lock: a run that was read comes to life.
    private func adopt(_ run: CachedRun, in slot: WorkflowSlot) {
        // Whether its alarm row says parked is not known: setting it to active once more does no harm.
        run.isParkedInStore = true
        slot.current = .cached(run)
        shard.touch(run)
        shard.arm(run)
        let decision = run.execution.decideRecovery(at: shard.clock())
        let due = run.execution.dueTasks()
        if !decision.entries.isEmpty {
            shard.carryOut(decision, on: run, in: slot)
            shard.offer(run.execution.dueTasks().filter { !decision.offers.contains($0) }, of: run)
        } else {
            shard.offer(due, of: run)
        }
    }

    // MARK: Recovery and alarms

    private func recover() {
        var after: RunID?
        var count = 0
        while !shard.loads.isStopped {
            let page = withStore { (store) throws(CommitError) in
                let rows = try store.activeRuns(shard: self.shard.id, after: after, limit: 200)
                return (rows, try self.read(rows, from: store))
            }
            guard case .success(let (rows, runs)) = page else {
                // Others may go first; then again, from the start: what is in memory by then is left alone.
                usleep(250_000)
                shard.loads.add(.recover)
                return
            }
            guard let last = rows.last else { break }
            count += rows.count
            install(rows, runs)
            after = last.runID
        }
        if count > 0 {
            shard.log.info("runs recovered", metadata: ["shard": "\(shard.id)", "runs": "\(count)"])
        }
        onRecovered()
    }

    private func install(_ rows: [RunRow], _ runs: [WorkflowKey: LoadedRun]) {
        shard.perform {
            for row in rows {
                let slot = shard.slot(row.key)
                if case .open(let run)? = runs[row.key], !slot.isReady { adopt(run, in: slot) }
                shard.dropIfUnused(slot)
            }
        }
    }

    /// Brings the parked runs back whose alarm is near.
    private func wakeParked(before instant: Instant) {
        let found = withStore { (store) throws(CommitError) in
            let parked = try store.parkedRuns(shard: self.shard.id, before: instant, limit: 1_000).map(\.0)
            return (parked, try self.read(parked, from: store))
        }
        if case .success(let (rows, runs)) = found { install(rows, runs) }
    }
}

extension CachedRun {
    /// A run from its journal.
    static func rebuilt(
        _ row: RunRow,
        _ journal: [JournalRow],
        configuration: HistoryConfiguration,
        at now: Instant
    ) throws -> CachedRun {
        let run = CachedRun(
            SagamoreEngine.Execution(key: row.key, runID: row.runID),
            sequence: journal.last?.sequence ?? 0,
            startRequestID: row.startRequestID,
            isStored: true,
            at: now
        )
        var frames: [RecordedEvent] = []
        for part in journal {
            for entry in try HistoryFrames.entries(events: part.events, facts: part.facts) {
                run.execution.apply(entry)
                if case .event(let recorded) = entry { frames.append(recorded) }
            }
        }
        let seen = run.execution.durable.previousStartedEventID
        let tail = frames.filter { $0.event.eventID > seen }.flatMap(\.frame)
        run.tail = tail.count > tailLimit ? nil : tail
        run.lastFrame = frames.last?.frame ?? []
        run.execution.rebuildDeadlines(runningAttemptsNotBefore: now + configuration.recoveryGrace)
        return run
    }
}
