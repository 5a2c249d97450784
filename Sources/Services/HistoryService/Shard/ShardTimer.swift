internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Carries out what is due in a shard, removes idle runs from memory, and ends expired waits. `TimerSchedule` decides
/// what it does when. The timers of all shards take turns on one thread.
///
/// Unchecked: used by the timers' thread alone, once it runs.
final class ShardTimer: @unchecked Sendable {
    let shard: Shard
    private var schedule: TimerSchedule
    private var relief = TableRelief()

    init(shard: Shard) {
        self.shard = shard
        schedule = TimerSchedule(retentionPeriod: shard.configuration.retentionPeriod, steady: shard.steadyClock())
    }

    /// One step. Returns when the next one is due, by the steady clock.
    func turn() -> Instant {
        shard.bell.listen()
        switch step() {
        case .pause(let pause):
            shard.bell.mute()
            return shard.steadyClock() + pause
        case .sleep(let rest):
            shard.bell.sleep(until: shard.clock() + rest)
            return shard.steadyClock() + rest
        }
    }

    /// Does what is due now, as much as one hold of the lock may take.
    func step() -> TimerSchedule.Wait {
        let now = shard.clock()
        // By the steady clock: the other one may stand still, or jump back.
        let steady = shard.steadyClock()
        var step = TimerSchedule.Step()
        let outcome = shard.perform {
            var outcome = TimerSchedule.Outcome()
            outcome.isOwned = shard.state.ownership.isOwned
            // What is not owned is not loaded: it may be another's.
            guard outcome.isOwned else { return outcome }
            step = schedule.begin(at: now, steady: steady)
            // Nothing is due while nobody could report that it was done.
            outcome.isStalled = shard.state.ownership.isStalled || shard.obstacle() != nil
            outcome.isLaneFull = shard.isLaneHalfFull
            if !outcome.isStalled, let budget = budget(at: now, isLaneFull: outcome.isLaneFull) {
                fireDue(now, within: budget)
            }
            if step.sweeps { outcome.isSweepPartial = sweep(now, outcome) }
            outcome.earliest = shard.state.timers.earliest
            return outcome
        }
        if step.wakesParked { shard.loads.add(.wakeParked(after: nil)) }
        if step.retains {
            shard.loads.add(.erase)
            shard.loads.add(.retain)
        }
        if step.sweeps { relieve() }
        return schedule.end(outcome, at: shard.clock(), steady: steady)
    }

    /// Makes the tables smaller when much less is needed than before.
    private func relieve() {
        let runs = shard.perform { shard.state.runs.weight }
        guard relief.isDue(runs: runs, at: shard.steadyClock()) else { return }
        shard.perform { shard.state.shrink() }
    }

    /// Under the lock: how much due work may be carried out; nil for none. Where requests keep the lane half full, it
    /// waits, but not forever: some goes on once it is late.
    private func budget(at now: Instant, isLaneFull: Bool) -> DueBudget? {
        let bounds = shard.configuration.bounds
        guard isLaneFull else { return DueBudget(runs: bounds.dueRuns, entries: bounds.dueEntries) }
        guard let earliest = shard.state.timers.earliest, now - earliest > TimerSchedule.patience, !shard.isFull
        else { return nil }
        return DueBudget(runs: bounds.lateDueRuns, entries: bounds.dueEntries)
    }

    /// Under the lock.
    private func fireDue(_ now: Instant, within given: DueBudget) {
        var budget = given
        while budget.hasRoom, let item = shard.state.timers.popDue(now) {
            guard let context = shard.state.runs[item.key], let run = context.cached, run.runID == item.runID,
                run.execution.isRunning, run.armed.fire(at: item.at)
            else { continue }
            let decision = run.execution.decideDue(
                at: now,
                after: run.workerOutage.or(later: shard.state.ownership.outage),
                limits: shard.configuration.limits,
                successorID: run.execution.durable.recurrence != nil ? shard.successorID(of: run, at: now) : nil
            )
            budget.spend(decision.entries.count)
            if decision.entries.isEmpty, decision.statusEvents.isEmpty {
                shard.state.offer(decision.offers, of: run)
            } else {
                shard.carryOut(decision, on: run, in: context)
            }
            run.execution.discardDeadlines(until: now)
            shard.requeueLostQueries(of: run, in: context)
            shard.arm(run)
        }
        if shard.state.timers.count > 4 * shard.state.runs.contexts.count + 10_000 { shard.state.compactTimers() }
    }

    /// Under the lock. Returns whether more runs may leave memory than were looked at.
    private func sweep(_ now: Instant, _ outcome: TimerSchedule.Outcome) -> Bool {
        var isPartial = false
        if !outcome.isStalled {
            if !outcome.isLaneFull { isPartial = park(now) }
            shard.state.deferred.retry()
        }
        for waiter in shard.state.runs.takeExpired(at: now) { shard.state.deferred.call(waiter.expire) }
        shard.expireQueries(now)
        shard.expireUpdates(now)
        return isPartial
    }

    /// Lets runs leave memory that have been idle for a while. Looks at the front of a list that is in order of time,
    /// so the busy ones cost nothing. Returns whether it stopped before the end of that list.
    private func park(_ now: Instant) -> Bool {
        let idleSince = now + Interval(nanoseconds: -shard.configuration.parkAfter.nanoseconds)
        let (idle, isPartial) = shard.state.runs.idle.take(
            idleSince: idleSince,
            limit: shard.configuration.bounds.idleRuns
        )
        for run in idle {
            guard let context = shard.state.runs[run.key], context.cached === run, !run.isDead else { continue }
            if !run.execution.isRunning, run.uncommitted == 0 {
                context.state.close(run)
                shard.state.runs.dropIfUnused(context)
            } else if run.execution.isRunning,
                run.canLeave(at: now, horizon: shard.configuration.alarmHorizon, shard.state.queries, shard.state.debts)
            {
                park(run, in: context)
            } else {
                // Its turn comes again after a time: the tasks of a thousand runs may wait for a worker.
                shard.touch(run)
            }
        }
        return isPartial
    }

    private func park(_ run: CachedRun, in context: WorkflowContext) {
        let item = LaneItem(context: context, run: run)
        shard.leave(run, in: context, until: run.alarm(at: shard.clock()) ?? .distantFuture, with: item)
    }
}
