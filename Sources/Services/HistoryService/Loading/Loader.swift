internal import Glibc
internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// A shard's loader: the thread that reads from PostgreSQL, in batches, so that nobody who holds a lock has to.
final class Loader: @unchecked Sendable {
    private let shard: Shard
    private let makeStore: @Sendable () throws -> any LoaderStore
    private var store: (any LoaderStore)?
    /// Reading failed the last time: that is said once, however many are waiting.
    private var isAway = false
    private var lastClaim: UInt64 = 0
    /// Where deleting goes on, in order of run ids.
    private var retainedUpTo: RunID?
    private let onRecovered: @Sendable () -> Void
    private let onWaitingQueues: @Sendable ([TaskQueueKey]) -> Void
    private static let wakeLimit = 500

    init(
        shard: Shard,
        makeStore: @escaping @Sendable () throws -> any LoaderStore,
        onWaitingQueues: @escaping @Sendable ([TaskQueueKey]) -> Void,
        onRecovered: @escaping @Sendable () -> Void
    ) {
        self.onWaitingQueues = onWaitingQueues
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
                case .recover(let after, let count): recover(after: after, count)
                case .wakeParked: wakeParked(before: shard.clock() + shard.configuration.alarmHorizon)
                case .retain: retain()
                case .pageIn(let queue, let limit, let done): done(pageIn(queue, limit: limit))
                }
            }
            if !slots.isEmpty { load(slots) }
        }
    }

    private func withStore<Value>(_ body: (any LoaderStore) throws(CommitError) -> Value) -> Result<Value, RequestError>
    {
        do {
            let store = try self.store ?? makeStore()
            self.store = store
            let value = try body(store)
            if isAway { shard.log.info("PostgreSQL can be read again") }
            isAway = false
            return .success(value)
        } catch {
            // The next use makes a new connection.
            store = nil
            shard.log.log(
                level: isAway ? .debug : .warning,
                "reading from PostgreSQL failed",
                metadata: ["error": "\(error)"]
            )
            isAway = true
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

    /// A slot that the loader has claimed, and the waiters of then. Who comes later waits for the next errand.
    private struct Claimed {
        let slot: WorkflowSlot
        let claim: LoadClaim
        let waiters: [LoadWaiter]
        let readsRun: Bool
    }

    /// Looks up workflows and commands, reads open runs, and lets the waiters go on. False when the database failed.
    ///
    /// Slots are claimed before anything is read: nobody changes a run that is not in memory, so what is read then cannot
    /// grow old. Run ids that were read earlier only say which slots to claim.
    @discardableResult
    private func load(_ slots: [WorkflowSlot], unmarking: Bool = false) -> Bool {
        let claimed = shard.perform { slots.filter { isLive($0) }.map { claim($0) } }
        guard !claimed.isEmpty else { return true }
        var questions: [LookUp] = []
        for entry in claimed {
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
            let unread = claimed.filter(\.readsRun).compactMap { rows[$0.slot.key] }
            return (known, try self.read(unread, from: store))
        }
        shard.perform {
            for entry in claimed {
                switch outcome {
                case .failure(let error): fail(entry, error)
                case .success(let (known, runs)):
                    finish(entry, known, runs[entry.slot.key], unmarking: unmarking)
                }
            }
        }
        if case .failure = outcome { return false }
        return true
    }

    /// Under the lock: the shard may have been dropped since the slot was queued.
    private func isLive(_ slot: WorkflowSlot) -> Bool {
        shard.phase == .owned && shard.slots[slot.key] === slot
    }

    /// Under the lock.
    private func claim(_ slot: WorkflowSlot) -> Claimed {
        lastClaim += 1
        let claim = LoadClaim(number: lastClaim)
        switch slot.state.begin(claim) {
        case .readRun(let waiters): return Claimed(slot: slot, claim: claim, waiters: waiters, readsRun: true)
        case .checkCommands(let waiters): return Claimed(slot: slot, claim: claim, waiters: waiters, readsRun: false)
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
        var heartbeats: [RunID: [HeartbeatRow]] = [:]
        for row in try store.loadHeartbeats(open.map(\.runID)) { heartbeats[row.runID, default: []].append(row) }
        for row in open { loaded[row.key] = rebuild(row, journals[row.runID] ?? [], heartbeats[row.runID] ?? []) }
        return loaded
    }

    private func rebuild(_ row: RunRow, _ journal: [JournalRow], _ heartbeats: [HeartbeatRow]) -> LoadedRun {
        do {
            let run = try CachedRun.rebuilt(row, journal, configuration: shard.configuration, at: shard.clock())
            run.restore(heartbeats)
            return .open(run)
        } catch {
            shard.log.error(
                "a run's journal can not be read",
                metadata: ["run": row.runID.description, "error": "\(error)"]
            )
            return .broken(RequestError(.internalError, "the journal of run \(row.runID) can not be read: \(error)"))
        }
    }

    /// Under the lock: the database failed.
    private func fail(_ entry: Claimed, _ error: RequestError) {
        let slot = entry.slot
        guard isLive(slot) else { return refuse(entry.waiters) }
        let failure = slot.state.fail(entry.claim, entry.waiters)
        for waiter in failure.refused { shard.afterwards.append { waiter.refuse(error) } }
        if failure.isOwed { shard.postponed.append { [shard] in shard.perform { shard.requestLoad(slot) } } }
        shard.dropIfUnused(slot)
    }

    /// Under the lock: installs what was read, and lets the waiters go on in order.
    private func finish(_ entry: Claimed, _ known: Set<LookUp>, _ run: LoadedRun?, unmarking: Bool) {
        let slot = entry.slot
        guard isLive(slot) else { return refuse(entry.waiters) }
        var problem: RequestError?
        if entry.readsRun {
            problem = install(run, in: slot, by: entry.claim, unmarking: unmarking)
        } else if slot.state.finishCheck(by: entry.claim, entry.waiters) == .tellLoader {
            return shard.loads.add(.workflow(slot))
        }
        for waiter in entry.waiters {
            if let problem {
                shard.afterwards.append { waiter.refuse(problem) }
                continue
            }
            let command = LookUp(key: slot.key, commandID: waiter.commandID)
            let isKnown = known.contains(command) || shard.recentCommands.contains(command)
            waiter.proceed(shard, slot, !waiter.commandID.isEmpty && isKnown)
        }
        shard.goOn(slot)
        shard.dropIfUnused(slot)
    }

    /// Under the lock: the shard was dropped meanwhile.
    private func refuse(_ waiters: [LoadWaiter]) {
        let obstacle = shard.obstacle() ?? .unavailable("the workflow has to be loaded anew; try again")
        for waiter in waiters { shard.afterwards.append { waiter.refuse(obstacle) } }
    }

    /// Under the lock.
    private func install(
        _ found: LoadedRun?,
        in slot: WorkflowSlot,
        by claim: LoadClaim,
        unmarking: Bool
    ) -> RequestError? {
        switch found {
        case nil: slot.state.install(.none, by: claim)
        case .closed(let row)?: slot.state.install(.closed(row), by: claim)
        case .broken(let error)?:
            slot.state.install(.unknown, by: claim)
            return error
        case .open(let run)? where !run.execution.isRunning:
            slot.state.install(.closed(run.row), by: claim)
        case .open(let run)?:
            slot.state.install(.cached(run), by: claim)
            adopt(run, in: slot)
            // Before its tasks are offered: a queue without room marks it anew.
            if unmarking { shard.unmark(run, in: slot) }
        }
        return nil
    }

    /// Under the lock: a run that was read comes to life.
    private func adopt(_ run: CachedRun, in slot: WorkflowSlot) {
        // Whether its alarm row says parked is not known: setting it to active once more does no harm.
        run.isParkedInStore = true
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

    /// One page; others may go first before the next one.
    private func recover(after: RunID?, _ count: Int) {
        let page = withStore { (store) throws(CommitError) in
            try store.activeRuns(shard: self.shard.id, after: after, limit: 200)
        }
        guard case .success(let rows) = page, bringBack(rows) else {
            usleep(250_000)
            return shard.loads.add(.recover(after: after, count: count))
        }
        if let last = rows.last {
            return shard.loads.add(.recover(after: last.runID, count: count + rows.count))
        }
        let waiting = withStore { (store) throws(CommitError) in try store.waitingQueues(shard: self.shard.id) }
        guard case .success(let queues) = waiting else {
            usleep(250_000)
            return shard.loads.add(.recover(after: after, count: count))
        }
        onWaitingQueues(queues.compactMap { TaskQueueKey(storedName: $0) })
        if count > 0 {
            shard.log.info("runs recovered", metadata: ["shard": "\(shard.id)", "runs": "\(count)"])
        }
        onRecovered()
    }

    /// Loads the workflows of runs that are not in memory. False when the database failed.
    private func bringBack(_ rows: [RunRow], unmarking: Bool = false) -> Bool {
        let slots = shard.perform {
            shard.phase == .owned
                ? rows.map { shard.slot($0.key) }.filter { $0.state.requestReturn() }
                : []
        }
        return load(slots, unmarking: unmarking)
    }

    /// One step of deleting what is past its retention; the next one comes at once when this one was full.
    private func retain() {
        guard shard.perform({ shard.phase == .owned }) else { return }
        let step = withStore { (store) throws(CommitError) in
            try store.deleteExpired(
                shard: self.shard.id,
                after: self.retainedUpTo,
                now: self.shard.clock(),
                inboxRetention: self.shard.configuration.inboxRetention,
                limit: 200
            )
        }
        guard case .success(let done) = step else { return }
        retainedUpTo = done.nextRun
        if done.isMore { shard.loads.add(.retain) }
    }

    /// Brings back runs that wait for room in a task queue, and offers their tasks. Returns whether more wait.
    private func pageIn(_ queue: TaskQueueKey, limit: Int) -> Bool {
        // At most half of the room is for those that are in memory all the same.
        let beside = shard.perform {
            shard.phase == .owned ? shard.offerBeside(queue, atMost: (limit + 1) / 2) : 0
        }
        let rest = max(1, limit - beside)
        let found = withStore { (store) throws(CommitError) in
            try store.waitingRuns(shard: self.shard.id, queue: queue.storedName, limit: rest)
        }
        guard case .success(let rows) = found else {
            usleep(250_000)
            return true
        }
        // Those that did not leave memory: their task is in no queue, or in another one, too. A task of another full queue
        // can have the mark now.
        let now = shard.clock()
        let isOwned = shard.perform {
            guard shard.phase == .owned else { return false }
            for row in rows {
                guard let slot = shard.slots[row.key], let run = slot.cached, run.runID == row.runID else { continue }
                shard.unmark(run, in: slot)
                shard.offer(run.waitingTasks(at: now), of: run)
            }
            return true
        }
        guard isOwned else { return false }
        guard bringBack(rows, unmarking: true) else { return true }
        return rows.count == rest || shard.perform { shard.queuesBeside.contains(queue) }
    }

    /// Brings the parked runs back whose alarm is near.
    private func wakeParked(before instant: Instant) {
        var last: (Instant, RunID)?
        while !shard.loads.isStopped {
            let found = withStore { (store) throws(CommitError) in
                try store.parkedRuns(shard: self.shard.id, before: instant, after: last, limit: Self.wakeLimit)
            }
            guard case .success(let page) = found, bringBack(page.map(\.0)), page.count == Self.wakeLimit else {
                return
            }
            last = page.last.map { ($0.1, $0.0.runID) }
        }
    }
}
