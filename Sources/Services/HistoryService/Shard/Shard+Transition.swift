internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Under the lock: applies a decision in memory and queues it for the database. Nobody is answered.
    func carryOut(_ decision: Decision, on run: CachedRun, in context: WorkflowContext) {
        enqueue(apply(decision, on: run, in: context))
    }

    /// Under the lock: applies a decision in memory. Returns the item, which must be queued before the lock is
    /// released. If another run follows, it is the item of that run's start, with this run's end.
    ///
    /// - Parameters:
    ///   - inbox: the command that the decision carries out.
    ///   - assumesNew: the commit must check that the workflow has no other run.
    func apply(
        _ decision: Decision,
        on run: CachedRun,
        in context: WorkflowContext,
        inbox: InboxRow? = nil,
        assumesNew: Bool = false
    ) -> LaneItem {
        precondition(run.residence.isInMemory, "a decision on a run that is \(run.residence) would be lost")
        state.work.decided(decision.entries.count)
        let item = LaneItem(context: context, run: run)
        let before = run.extent
        let decision = limit(of: decision, on: run, item) ?? decision
        let row = run.apply(decision.entries)
        let after = run.extent
        noteLength(of: run, since: before.length, after.length)
        if !row.events.isEmpty || !row.facts.isEmpty {
            run.sequence += 1
            item.journal = JournalRow(
                runID: run.runID,
                sequence: run.sequence,
                firstEventID: row.firstEventID,
                events: row.events,
                facts: row.facts,
                step: decision.step,
                build: run.ask { $0.durable.newBuild(since: row.firstEventID) }
            )
            item.history = run.ask { CommittedHistory($0) }
            if run.sequence == 1 {
                item.newRun = listed(run)
                item.assumesNew = assumesNew
                item.alarm = .insert(.active)
            } else if run.residence == .parking {
                item.alarm = .set(.active)
            }
            run.alarmIsSet(isActive: true)
            if state.allowsSnapshots { item.snapshot = run.snapshotIfDue() }
        }
        noteLife(of: run, before.life, after.life, in: item)
        noteListing(of: run, decision, in: item)
        item.inbox = inbox
        if let inbox { state.recentCommands.insert(LookUp(key: inbox.key, commandID: inbox.commandID)) }
        item.debts = decision.debts
        item.updates = decision.updates
        for event in decision.statusEvents { item.outbox.append(encoder.encode(event)) }
        if SagaOutcome.isIn(decision) {
            let startedAt = run.ask { $0.durable.originalStartedAt ?? $0.durable.startedAt }
            item.outcome = SagaOutcome(decision, of: run.row, startedAt: startedAt)
        }
        touch(run)
        arm(run)
        for offer in decision.offers {
            let task = offer.task(of: run)
            // An activity is offered before the commit, so that its start may share the transaction. The start of a
            // workflow task writes nothing, so its poll could only wait.
            if case .activity = task.kind { state.deferred.offer(task) } else { item.offers.append(task) }
        }
        if let successor = decision.successor { return begin(successor, after: item, of: run, in: context) }
        return item
    }

    /// Adds the rows for a run's close, or for the end of its debts, to the transition that caused it.
    private func noteLife(of run: CachedRun, _ before: RunLife, _ life: RunLife, in item: LaneItem) {
        guard life != before else { return }
        precondition(before != .done, "a run that is done goes on")
        // A run with debts keeps its alarm, so that recovery finds it.
        item.alarm = life == .done ? .remove : .close(.active)
        item.endsDebts = before == .closedWithDebts
        if before == .open {
            item.endsHeartbeats = run.heartbeatRows.exist
            item.endsBacklog = run.mayHaveBacklog && state.backlogRows != .none
            if item.newRun == nil {
                let row = run.row
                item.closing = RunClosing(
                    runID: row.runID,
                    status: row.status,
                    closedAt: row.closedAt ?? row.startedAt,
                    historyLength: row.historyLength,
                    historyBytes: row.historyBytes,
                    transitions: run.sequence
                )
            }
        }
    }

    /// Under the lock: queues an item. An item without rows is released as soon as the lock is free, if nothing that it
    /// could reveal is uncommitted.
    func enqueue(_ item: LaneItem) {
        precondition(item.run?.hasLeft != true, "an item of a run that is out of memory is queued")
        let isSettled = item.run?.uncommitted == 0 && (item.basis?.uncommitted ?? 0) == 0
        item.countUncommitted(1)
        if let run = item.run { item.isCalm = !state.busyFamilies.add(slice: run.familySlice, at: steadyClock()) }
        switch lane.add(item, isSettled: isSettled) {
        case .queued: return
        case .free:
            if let release = item.release { state.deferred.call(release) }
            tellUpdates(of: item)
            state.deferred.offer(item.offers)
        case .closed: if let refuse = item.refuse { state.deferred.call { refuse(.fenced) } }
        }
        item.countUncommitted(-1)
    }

    /// Under the lock: calls `release` once everything that it could reveal is committed. This is the release rule.
    /// Requests are answered by their `RunAccess`, which follows it.
    ///
    /// - Parameter run: the run that was seen; nil waits for all queued items of the shard.
    func releaseInOrder(
        run: CachedRun? = nil,
        context: WorkflowContext? = nil,
        _ release: @escaping @Sendable () -> Void,
        refuse: @escaping @Sendable (LaneFailure) -> Void
    ) {
        let item = LaneItem(context: context, run: run)
        item.release = release
        item.refuse = refuse
        enqueue(item)
    }

    func touch(_ run: CachedRun) { state.runs.idle.touch(run, at: clock()) }

    /// Under the lock: tells the shard's timer about the run's next deadline.
    func arm(_ run: CachedRun) {
        if let earliest = state.arm(run) { bell.ring(for: earliest) }
    }
}
