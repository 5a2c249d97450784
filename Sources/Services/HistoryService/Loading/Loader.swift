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
            for entry in asked { finish(entry.slot, entry.waiters, wasReady: entry.isReady, outcome) }
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
            let run = try CachedRun.rebuilt(row, journal, at: shard.clock())
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

    /// Under the lock: installs what was read, and lets the waiters go on in order.
    private func finish(
        _ slot: WorkflowSlot,
        _ waiters: [LoadWaiter],
        wasReady: Bool,
        _ outcome: Result<(Set<LookUp>, [WorkflowKey: LoadedRun]), RequestError>
    ) {
        slot.isLoading = false
        if let obstacle = shard.phase == .owned ? nil : shard.obstacle() {
            for waiter in waiters { shard.deferred.call { waiter.refuse(obstacle) } }
            return
        }
        switch outcome {
        case .failure(let error):
            // Also those who came meanwhile: looked up at once, they would pass the others, who come again later.
            for waiter in waiters + slot.waiting { shard.deferred.call { waiter.refuse(error) } }
            slot.waiting = []
            if slot.mustLoad { shard.deferred.retryLater { [shard] in shard.perform { shard.requestLoad(slot) } } }
        case .success(let (known, runs)):
            if wasReady, !slot.isReady {
                // The run left memory meanwhile, and was not read: once more.
                slot.waiting = waiters + slot.waiting
                shard.requestLoad(slot)
                return
            }
            var problem: RequestError?
            if !slot.isReady { problem = install(runs[slot.key], in: slot) }
            for waiter in waiters {
                if let problem {
                    shard.deferred.call { waiter.refuse(problem) }
                    continue
                }
                let command = LookUp(key: slot.key, commandID: waiter.commandID)
                let isKnown = known.contains(command) || shard.recentCommands.contains(command)
                waiter.proceed(shard, slot, !waiter.commandID.isEmpty && isKnown)
            }
        }
        shard.goOn(slot)
        shard.dropIfUnused(slot)
    }

    /// Under the lock.
    private func install(_ run: LoadedRun?, in slot: WorkflowSlot) -> RequestError? {
        slot.mustLoad = false
        switch run {
        case nil: slot.current = .none
        case .closed(let row)?: slot.current = .closed(row)
        case .broken(let error)?: return error
        case .open(let run)?: adopt(run, in: slot)
        }
        return nil
    }

    /// Under the lock: a run that was read comes to life.
    private func adopt(_ run: CachedRun, in slot: WorkflowSlot) {
        guard run.execution.isRunning else {
            // It closed after its row was read.
            slot.current = .closed(run.row)
            return
        }
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

    /// Loads those of the runs that are not in memory, and lets them come to life. False when the database failed.
    ///
    /// Their slots are claimed before their journals are read: what is read then can't grow old, since nobody changes a
    /// run that is not in memory.
    @discardableResult
    private func bringBack(_ rows: [RunRow], unmarking: Bool = false) -> Bool {
        let claimed = shard.perform {
            rows.compactMap { row -> (row: RunRow, slot: WorkflowSlot)? in
                guard shard.phase == .owned else { return nil }
                let slot = shard.slot(row.key)
                guard !slot.isReady else { return nil }
                if slot.isLoading {
                    // Somebody asked for it. Should that fail, it comes back all the same.
                    slot.mustLoad = true
                    return nil
                }
                slot.isLoading = true
                return (row, slot)
            }
        }
        guard !claimed.isEmpty else { return true }
        let outcome = withStore { (store) throws(CommitError) in try self.read(claimed.map(\.row), from: store) }
        shard.perform {
            for (row, slot) in claimed {
                slot.isLoading = false
                guard shard.phase == .owned else { continue }
                if case .success(let runs) = outcome, case .open(let run)? = runs[row.key], !slot.isReady {
                    slot.mustLoad = false
                    adopt(run, in: slot)
                    // Before its tasks are offered: a queue without room marks it anew.
                    if unmarking, run.execution.isRunning { shard.unmark(run, in: slot) }
                }
                shard.goOn(slot)
                shard.dropIfUnused(slot)
            }
        }
        if case .failure = outcome { return false }
        return true
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
