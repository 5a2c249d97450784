internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// What the loader does with slots, all of it under the shard's lock: claim one, install what was read, or fail.
extension Loader {
    /// Under the lock: the shard may have been dropped since the slot was queued.
    func isLive(_ slot: WorkflowSlot) -> Bool {
        shard.isOwned && shard.slots[slot.key] === slot
    }

    /// Under the lock.
    func claim(_ slot: WorkflowSlot) -> ClaimedSlot {
        lastClaim += 1
        let claim = LoadClaim(number: lastClaim)
        switch slot.state.begin(claim) {
        case .readRun(let waiters): return ClaimedSlot(slot: slot, claim: claim, waiters: waiters, readsRun: true)
        case .checkCommands(let waiters):
            return ClaimedSlot(slot: slot, claim: claim, waiters: waiters, readsRun: false)
        }
    }

    /// Under the lock: the database failed.
    func fail(_ entry: ClaimedSlot, _ error: RequestError) {
        let slot = entry.slot
        guard isLive(slot) else { return refuse(entry.waiters) }
        let failure = slot.state.fail(entry.claim, entry.waiters)
        for waiter in failure.refused { shard.deferred.call { waiter.refuse(error) } }
        if failure.isOwed { shard.deferred.retryLater { [shard] in shard.perform { shard.requestLoad(slot) } } }
        shard.dropIfUnused(slot)
    }

    /// Under the lock: installs what was read, and lets the waiters go on in order.
    func finish(_ entry: ClaimedSlot, _ found: LoadedRun, _ pending: PendingLoad) {
        let slot = entry.slot
        guard isLive(slot) else { return refuse(entry.waiters) }
        var problem: RequestError?
        if entry.readsRun {
            problem = install(found, in: slot, by: entry.claim, pending.pagedIn)
        } else if slot.state.finishCheck(by: entry.claim, entry.waiters) == .tellLoader {
            return shard.loads.add(.workflow(slot))
        }
        for waiter in entry.waiters {
            if let problem {
                shard.deferred.call { waiter.refuse(problem) }
                continue
            }
            let command = LookUp(key: slot.key, commandID: waiter.commandID)
            let isKnown = pending.known.contains(command) || shard.recentCommands.contains(command)
            waiter.proceed(shard, slot, !waiter.commandID.isEmpty && isKnown)
        }
        shard.goOn(slot)
        shard.dropIfUnused(slot)
    }

    /// Under the lock: installs a closed run that was read, where it owes something; nil: the read failed.
    func finish(_ runID: RunID, _ found: LoadedRun?, in slot: WorkflowSlot) {
        guard isLive(slot) else { return }
        if case .run(let run) = found {
            slot.state.finishReadingDebtor(runID, run)
        } else {
            slot.state.finishReadingDebtor(runID, nil)
        }
        shard.dropIfUnused(slot)
    }

    /// Under the lock: the shard was dropped meanwhile.
    private func refuse(_ waiters: [LoadWaiter]) {
        let obstacle = shard.obstacle() ?? .unavailable("the workflow has to be loaded anew; try again")
        for waiter in waiters { shard.deferred.call { waiter.refuse(obstacle) } }
    }

    /// Under the lock: the one place where a run that was read becomes the current one.
    private func install(
        _ found: LoadedRun,
        in slot: WorkflowSlot,
        by claim: LoadClaim,
        _ pagedIn: PagedTasks?
    ) -> RequestError? {
        switch found {
        case .noRun: slot.state.install(.none, by: claim)
        case .closed(let row): slot.state.install(.closed(row), by: claim)
        case .broken(let error, _):
            slot.state.install(.unknown, by: claim)
            return error
        case .run(let run) where !run.execution.isRunning:
            if slot.state.beginReadingDebtor(run.runID) { slot.state.finishReadingDebtor(run.runID, run) }
            slot.state.install(.closed(run.row), by: claim)
        case .run(let run):
            slot.state.install(.cached(run), by: claim)
            adopt(run, in: slot)
            // All that is due was offered. A queue without room is told of that later, and gets a new row.
            if let pagedIn, let rows = pagedIn.rows[run.runID] {
                shard.pageIn(rows, for: pagedIn.queue, of: run, in: slot)
            }
        }
        return nil
    }

    /// Under the lock: a run that was read comes to life.
    private func adopt(_ run: CachedRun, in slot: WorkflowSlot) {
        if slot.hasLostReports {
            slot.hasLostReports = false
            run.workerOutage = WorkerOutage(end: shard.clock(), grace: shard.configuration.recoveryGrace)
        }
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
}
