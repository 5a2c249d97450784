internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Claims contexts, installs what was read, and fails loads. All of it runs under the shard's lock.
extension Loader {
    /// Whether a context is still in use. The shard may have been dropped since it was queued.
    func isLive(_ context: WorkflowContext) -> Bool {
        shard.state.ownership.isOwned && shard.state.runs[context.key] === context
    }

    func claim(_ context: WorkflowContext) -> ClaimedContext {
        lastClaim += 1
        let claim = LoadClaim(number: lastClaim)
        switch context.state.begin(claim) {
        case .readRun(let waiters):
            return ClaimedContext(context: context, claim: claim, waiters: waiters, readsRun: true)
        case .checkCommands(let waiters):
            return ClaimedContext(context: context, claim: claim, waiters: waiters, readsRun: false)
        }
    }

    /// The database failed: refuses the waiters.
    func fail(_ entry: ClaimedContext, _ error: RequestError) {
        shard.state.work.settled &+= 1
        let context = entry.context
        guard isLive(context) else { return refuse(entry.waiters) }
        let failure = context.state.fail(entry.claim, entry.waiters)
        for waiter in failure.refused { shard.state.deferred.call { waiter.refuse(error) } }
        if failure.isOwed {
            shard.state.deferred.retryLater { [shard] in shard.perform { shard.requestLoad(context) } }
        }
        shard.state.runs.dropIfUnused(context)
    }

    /// Installs what was read, and lets the waiters proceed in order.
    func finish(_ entry: ClaimedContext, _ found: LoadedRun, _ pending: PendingLoad) {
        shard.state.work.settled &+= 1
        let context = entry.context
        guard isLive(context) else { return refuse(entry.waiters) }
        var problem: RequestError?
        if entry.readsRun {
            problem = install(found, in: context, by: entry.claim, pending)
        } else if context.state.finishCheck(by: entry.claim, entry.waiters) == .tellLoader {
            return shard.loads.add(.workflow(context))
        }
        for waiter in entry.waiters {
            if let problem {
                shard.state.deferred.call { waiter.refuse(problem) }
                continue
            }
            let command = LookUp(key: context.key, commandID: waiter.commandID)
            let isKnown = pending.known.contains(command) || shard.state.recentCommands.contains(command)
            waiter.proceed(shard, context, !waiter.commandID.isEmpty && isKnown)
        }
        shard.resumeWaiters(of: context)
        shard.state.runs.dropIfUnused(context)
    }

    /// Installs a closed run that was read, if it has debts. `found` is nil if the read failed.
    func finish(_ runID: RunID, _ found: LoadedRun?, in context: WorkflowContext) {
        shard.state.work.settled &+= 1
        guard isLive(context) else { return }
        if case .run(let run) = found {
            context.state.finishReadingDebtor(runID, run)
            if run.isDebtor { shard.incurOwed(by: run) }
        } else {
            context.state.finishReadingDebtor(runID, nil)
        }
        shard.state.runs.dropIfUnused(context)
    }

    /// The shard was dropped meanwhile: refuses the waiters.
    private func refuse(_ waiters: [LoadWaiter]) {
        let obstacle = shard.obstacle() ?? .notLoaded
        for waiter in waiters { shard.state.deferred.call { waiter.refuse(obstacle) } }
    }

    /// The only place where a run that was read becomes the current one.
    private func install(
        _ found: LoadedRun,
        in context: WorkflowContext,
        by claim: LoadClaim,
        _ pending: PendingLoad
    ) -> RequestError? {
        switch found {
        case .noRun: context.state.install(.none, by: claim)
        case .closed(let row):
            context.state.install(row.isDeleted ? .deleted(row.runID) : .closed(row), by: claim)
        case .broken(let error, _):
            context.state.install(.unknown, by: claim)
            return error
        case .run(let run) where !run.execution.isRunning:
            if context.state.beginReadingDebtor(run.runID) {
                context.state.finishReadingDebtor(run.runID, run)
                if run.isDebtor { shard.incurOwed(by: run) }
            }
            context.state.install(.closed(run.row), by: claim)
        case .run(let run):
            context.state.install(.cached(run), by: claim)
            if let alarm = pending.alarms[run.runID] { run.hasReturned(from: alarm) }
            let pagedIn = pending.pagedIn
            adopt(run, in: context, pagedIn?.rows[run.runID] ?? [])
            // All due tasks were offered. If a queue has no room, the task is paged out again, with a new row.
            if let pagedIn, let rows = pagedIn.rows[run.runID] {
                shard.pageIn(rows, for: pagedIn.queue, of: run, in: context)
            }
        }
        return nil
    }

    /// Arms a run that was read, makes its recovery decision, and offers its due tasks.
    ///
    /// - Parameter rows: rows of the backlog whose queue has room. Their tasks keep their places.
    private func adopt(_ run: CachedRun, in context: WorkflowContext, _ rows: [BacklogRow]) {
        if context.hasLostReports {
            context.hasLostReports = false
            run.workerOutage = WorkerOutage(end: shard.clock(), grace: shard.configuration.recoveryGrace)
        }
        shard.touch(run)
        shard.arm(run)
        shard.incurOwed(by: run)
        let decision = run.execution.decideRecovery(at: shard.clock())
        let due = run.execution.dueTasks()
        if !decision.entries.isEmpty {
            shard.carryOut(decision, on: run, in: context)
            shard.state.offer(run.execution.dueTasks().filter { !decision.offers.contains($0) }, of: run)
        } else {
            for offer in due {
                let row = rows.first { $0.key.task == offer.backlogID }
                var task = offer.task(of: run, from: row)
                if row == nil { task.since = run.dueSince(task.kind) }
                shard.state.deferred.offer(task)
            }
        }
    }
}
