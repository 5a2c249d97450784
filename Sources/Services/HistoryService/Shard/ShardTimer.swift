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
        guard !slot.historyWaiters.isEmpty, let run = slot.cached, run.uncommitted == 0 else { return [] }
        var news: [@Sendable () -> Void] = []
        slot.historyWaiters.removeAll { waiter in
            let isClosed = !run.execution.isRunning
            let isNews =
                waiter.runID != run.runID || isClosed
                || (!waiter.onlyCloseEvent && run.execution.durable.lastEventID > waiter.afterEventID)
            guard isNews else { return false }
            let closeFrame = isClosed && waiter.runID == run.runID ? run.lastFrame : nil
            news.append { waiter.news(closeFrame) }
            return true
        }
        return news
    }
}

/// The thread that carries out what is due, lets idle runs leave memory, and ends waits.
final class ShardTimer: @unchecked Sendable {
    private let shard: Shard
    private var sweepAt = Instant.distantPast
    private var alarmsAt = Instant.distantPast
    private var steadyAlarmsAt = Instant.distantPast
    private var retentionAt: Instant
    private var isStopping = false

    private static let sweepPeriod = Interval.milliseconds(250)
    private static let alarmPeriod = Interval.seconds(2)

    init(shard: Shard) {
        self.shard = shard
        retentionAt = SteadyClock.now() + shard.configuration.retentionPeriod
    }

    func run() {
        while true {
            shard.timerLock.withLock { shard.isTimerPoked = false }
            let now = shard.clock()
            var isOwned = false
            let earliest = shard.perform { () -> Instant? in
                isOwned = shard.phase == .owned
                guard isOwned else { return nil }
                let isStalled = shard.stalledSince != nil
                if !isStalled { fireDue(now) }
                // By the steady clock: the other one may stand still, or jump back.
                let steady = SteadyClock.now()
                if steady >= sweepAt {
                    sweepAt = steady + Self.sweepPeriod
                    sweep(now, isStalled: isStalled)
                }
                return isStalled ? nil : shard.timers.earliest
            }
            // What is not owned is not loaded: it may be another's.
            if isOwned { look(now) }
            shard.timerLock.lock()
            if isStopping {
                shard.timerLock.unlock()
                return
            }
            if !shard.isTimerPoked {
                shard.timerWake = min(earliest ?? .distantFuture, now + Self.sweepPeriod)
                let wait = min(shard.timerWake - shard.clock(), Self.sweepPeriod)
                shard.timerLock.wait(nanoseconds: max(1_000, wait.nanoseconds))
                shard.timerWake = .distantPast
            }
            shard.timerLock.unlock()
        }
    }

    /// Has read and deleted what time says. Clocks may jump forward, so both are asked.
    private func look(_ now: Instant) {
        let steady = SteadyClock.now()
        if steady >= steadyAlarmsAt || now >= alarmsAt {
            steadyAlarmsAt = steady + Self.alarmPeriod
            alarmsAt = now + Self.alarmPeriod
            shard.loads.add(.wakeParked(after: nil))
        }
        if steady >= retentionAt {
            retentionAt = steady + shard.configuration.retentionPeriod
            shard.loads.add(.retain)
        }
    }

    func stop() {
        shard.timerLock.withLock { isStopping = true }
        shard.timerLock.broadcast()
    }

    /// Under the lock.
    private func fireDue(_ now: Instant) {
        while let item = shard.timers.popDue(now) {
            guard let slot = shard.slots[item.key], let run = slot.cached, run.runID == item.runID,
                run.armedAt == item.at, run.execution.isRunning
            else { continue }
            run.armedAt = nil
            let decision = run.execution.decideDue(at: now)
            if decision.entries.isEmpty, decision.statusEvents.isEmpty {
                shard.offer(decision.offers, of: run)
            } else {
                shard.carryOut(decision, on: run, in: slot)
            }
            run.execution.discardDeadlines(until: now)
            shard.requeueLostQueries(of: run, in: slot)
            shard.arm(run)
        }
        if shard.timers.count > 4 * shard.slots.count + 10_000 {
            let slots = shard.slots
            shard.timers.compact { item in
                guard let run = slots[item.key]?.cached else { return false }
                return run.runID == item.runID && run.armedAt == item.at && run.execution.isRunning
            }
        }
    }

    /// Under the lock.
    private func sweep(_ now: Instant, isStalled: Bool) {
        if !isStalled {
            park(now)
            shard.afterwards += shard.postponed
            shard.postponed = []
        }
        for slot in shard.waitedFor.values {
            slot.historyWaiters.removeAll { waiter in
                guard waiter.deadline <= now else { return false }
                shard.afterwards.append(waiter.expire)
                return true
            }
            if slot.historyWaiters.isEmpty { shard.waitedFor[slot.key] = nil }
            shard.dropIfUnused(slot)
        }
        shard.expireQueries(now)
    }

    /// Lets runs leave memory that have been idle for a while. Looks at the front of a list that is in order of time, so
    /// the busy ones cost nothing.
    private func park(_ now: Instant) {
        let idleSince = now + Interval(nanoseconds: -shard.configuration.parkAfter.nanoseconds)
        var kept: [CachedRun] = []
        var index = 0
        while index < shard.watched.count, index < 10_000 {
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
            } else if run.canLeave(at: now, horizon: shard.configuration.alarmHorizon) {
                park(run, in: slot)
            } else {
                kept.append(run)
            }
        }
        for run in kept { run.isWatched = true }
        shard.watched = Array(shard.watched[index...]) + kept
    }

    private func park(_ run: CachedRun, in slot: WorkflowSlot) {
        let alarm = AlarmValue(at: run.execution.nextDeadline ?? .distantFuture, waiting: .unchanged)
        shard.leave(run, in: slot, alarm)
    }
}
