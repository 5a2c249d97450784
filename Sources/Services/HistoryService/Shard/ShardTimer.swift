internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Called under the shard's lock.
    func wakeTimer(at instant: Instant) {
        timerLock.lock()
        // It may be on its way to sleep: then it looks again.
        isTimerPoked = true
        let isEarlier = instant < timerWake
        timerLock.unlock()
        if isEarlier { timerLock.signal() }
    }

    /// What is committed of a slot's run by now, for those who wait for news. Called under the lock, by the lane.
    func committedNews(in slot: WorkflowSlot) -> [@Sendable () -> Void] {
        guard !slot.historyWaiters.isEmpty, let run = slot.cached else { return [] }
        let committed = run.committed
        var news: [@Sendable () -> Void] = []
        slot.historyWaiters.removeAll { waiter in
            let isCurrent = waiter.runID == run.runID
            let isNews =
                isCurrent
                ? committed.hasNews(after: waiter.afterEventID, onlyCloseEvent: waiter.onlyCloseEvent)
                : committed.isStored
            guard isNews else { return false }
            let closeFrame = committed.isClosed && isCurrent ? run.lastFrame : nil
            news.append { waiter.news(closeFrame) }
            return true
        }
        return news
    }
}

/// The thread that carries out what is due, lets idle runs leave memory, and ends waits. `TimerSchedule` decides what
/// it does when.
///
/// Unchecked: used by the timer's thread alone; `isStopping` is under the shard's `timerLock`.
final class ShardTimer: @unchecked Sendable {
    private let shard: Shard
    private var schedule: TimerSchedule
    private var relief = TableRelief()
    private var isStopping = false

    init(shard: Shard) {
        self.shard = shard
        schedule = TimerSchedule(retentionPeriod: shard.configuration.retentionPeriod, steady: SteadyClock.now())
    }

    func run() {
        while true {
            shard.timerLock.withLock { shard.isTimerPoked = false }
            let wait = step()
            shard.timerLock.lock()
            if isStopping {
                shard.timerLock.unlock()
                return
            }
            switch wait {
            case .pause(let pause): shard.timerLock.wait(nanoseconds: pause.nanoseconds)
            case .sleep(let rest) where !shard.isTimerPoked:
                let now = shard.clock()
                shard.timerWake = now + rest
                shard.timerLock.wait(nanoseconds: max(1_000, rest.nanoseconds))
                shard.timerWake = .distantPast
            case .sleep: break
            }
            shard.timerLock.unlock()
        }
    }

    /// Does what is due now, as much as one hold of the lock may take.
    func step() -> TimerSchedule.Wait {
        let now = shard.clock()
        // By the steady clock: the other one may stand still, or jump back.
        let steady = SteadyClock.now()
        var step = TimerSchedule.Step()
        let outcome = shard.perform {
            var outcome = TimerSchedule.Outcome()
            outcome.isOwned = shard.phase == .owned
            // What is not owned is not loaded: it may be another's.
            guard outcome.isOwned else { return outcome }
            step = schedule.begin(at: now, steady: steady)
            // Nothing is due while nobody could report that it was done.
            outcome.isStalled = shard.stalledSince != nil || shard.obstacle() != nil
            outcome.isLaneFull = shard.isLaneHalfFull
            if !outcome.isStalled, !outcome.isLaneFull { fireDue(now) }
            if step.sweeps { outcome.isSweepPartial = sweep(now, outcome) }
            outcome.earliest = shard.timers.earliest
            return outcome
        }
        if step.wakesParked { shard.loads.add(.wakeParked(after: nil)) }
        if step.retains { shard.loads.add(.retain) }
        if step.sweeps { relieve() }
        return schedule.end(outcome, at: shard.clock(), steady: steady)
    }

    /// Makes the tables smaller when much less is needed than before.
    private func relieve() {
        let runs = shard.perform { shard.slots.count + shard.watched.count }
        guard relief.isDue(runs: runs, at: SteadyClock.now()) else { return }
        shard.perform { shard.shrink() }
    }

    func stop() {
        shard.timerLock.withLock { isStopping = true }
        shard.timerLock.broadcast()
    }

    /// Under the lock.
    private func fireDue(_ now: Instant) {
        var budget = DueBudget()
        while budget.hasRoom, let item = shard.timers.popDue(now) {
            guard let slot = shard.slots[item.key], let run = slot.cached, run.runID == item.runID,
                run.armedAt == item.at, run.execution.isRunning
            else { continue }
            run.armedAt = nil
            let decision = run.execution.decideDue(at: now, after: run.workerOutage.or(later: shard.workerOutage))
            budget.spend(decision.entries.count)
            if decision.entries.isEmpty, decision.statusEvents.isEmpty {
                shard.offer(decision.offers, of: run)
            } else {
                shard.carryOut(decision, on: run, in: slot)
            }
            run.execution.discardDeadlines(until: now)
            shard.requeueLostQueries(of: run, in: slot)
            shard.arm(run)
        }
        if shard.timers.count > 4 * shard.slots.count + 10_000 { shard.compactTimers() }
    }

    /// Under the lock. Returns whether more runs may leave memory than were looked at.
    private func sweep(_ now: Instant, _ outcome: TimerSchedule.Outcome) -> Bool {
        var isPartial = false
        if !outcome.isStalled {
            if !outcome.isLaneFull { isPartial = park(now) }
            shard.deferred.retry()
        }
        for slot in shard.waitedFor.values {
            slot.historyWaiters.removeAll { waiter in
                guard waiter.deadline <= now else { return false }
                shard.deferred.call(waiter.expire)
                return true
            }
            if slot.historyWaiters.isEmpty { shard.waitedFor[slot.key] = nil }
            shard.dropIfUnused(slot)
        }
        shard.expireQueries(now)
        return isPartial
    }

    /// Lets runs leave memory that have been idle for a while. Looks at the front of a list that is in order of time,
    /// so the busy ones cost nothing. Returns whether it stopped before the end of that list.
    private func park(_ now: Instant) -> Bool {
        let idleSince = now + Interval(nanoseconds: -shard.configuration.parkAfter.nanoseconds)
        var kept: [CachedRun] = []
        var index = 0
        var isPartial = false
        while index < shard.watched.count {
            isPartial = index >= Self.parkLimit
            if isPartial { break }
            let run = shard.watched[index]
            if run.hasLeft {
                index += 1
                continue
            }
            if run.touchedAt > idleSince, run.execution.isRunning {
                // Touched since it was listed: behind the others again.
                if kept.count > 1_000 { break }
                kept.append(run)
                index += 1
                continue
            }
            index += 1
            run.isWatched = false
            guard let slot = shard.slots[run.key], slot.cached === run, !run.isDead else { continue }
            if !run.execution.isRunning {
                if run.uncommitted == 0 { slot.state.close(run) } else { kept.append(run) }
                shard.dropIfUnused(slot)
            } else if run.canLeave(at: now, horizon: shard.configuration.alarmHorizon, shard.queries) {
                park(run, in: slot)
            } else {
                kept.append(run)
            }
        }
        for run in kept { run.isWatched = true }
        if index > 0 {
            shard.watched.removeFirst(index)
            shard.watched += kept
        }
        return isPartial
    }

    /// Idle runs that one sweep looks at.
    private static let parkLimit = 2_000

    private func park(_ run: CachedRun, in slot: WorkflowSlot) {
        let alarm = AlarmValue(at: run.execution.nextDeadline ?? .distantFuture, waiting: .unchanged)
        shard.leave(run, in: slot, alarm)
    }
}
