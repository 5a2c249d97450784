internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Under the lock: writes a run's alarm, and lets the run leave memory when that is committed and it still may.
    func leave(
        _ run: CachedRun,
        in slot: WorkflowSlot,
        _ alarm: AlarmValue,
        then: (@Sendable () -> Void)? = nil,
        when mayLeave: @escaping @Sendable (Shard) -> Bool
    ) {
        let item = LaneItem(slot: slot, run: run)
        item.alarm = .set(alarm)
        // A transition after this one sets the alarm back to active, in its own transaction.
        run.isParkedInStore = alarm.at != nil
        item.release = { [self] in
            perform {
                guard slot.cached === run else { return }
                guard run.isParkedInStore, mayLeave(self) else {
                    // Something came meanwhile: it stays, and is looked at again when it is idle.
                    touch(run)
                    return
                }
                slot.current = .parked(run.row)
                run.hasLeft = true
                dropIfUnused(slot)
            }
            then?()
        }
        enqueue(item)
    }

    /// The queue of a due task is full: its run is marked as waiting for it, and leaves memory where it can. One that
    /// can't is marked all the same, since its task is offered again only when the mark is paged back.
    func pageOut(_ task: MatchingTask, told listener: @escaping @Sendable () -> Void) {
        if case .query(let id, _) = task.kind { return refuseQuery(id) }
        let retry: @Sendable (RequestError) -> Void = { [self] _ in
            postpone { [self] in pageOut(task, told: listener) }
        }
        access(task.key, refuse: retry) { shard, slot, _ in
            guard let run = slot.cached, run.runID == task.runID, run.execution.isRunning else { return }
            let now = shard.clock()
            let horizon = shard.configuration.alarmHorizon
            let waiting = AlarmValue.Waiting.queue(task.queue.storedName, since: run.dueSince(task.kind) ?? now)
            let next = run.execution.nextDeadline
            // Whether it may leave is known only when all of it is committed; one with something due soon stays.
            let mayLeave =
                run.execution.volatile.startedTask == nil && run.execution.durable.bufferedEvents.isEmpty
                && next.map { $0 > now + horizon } ?? true
            let alarm = AlarmValue(at: mayLeave ? next ?? .distantFuture : nil, waiting: waiting)
            shard.leave(run, in: slot, alarm, then: listener) { shard in
                run.canWaitOutside(at: shard.clock(), horizon: horizon)
            }
        }
    }

    /// Nobody else will ask for this again: the timer does, when the database can be reached.
    func postpone(_ action: @escaping @Sendable () -> Void) {
        perform { if phase == .owned { postponed.append(action) } }
    }

    /// A query finds no room in the queue of its workflow: it can't wait in the database.
    private func refuseQuery(_ id: UInt64) {
        guard let query = perform({ queries.removeValue(forKey: id) }) else { return }
        query.reply.fail(RequestError(.resourceExhausted, "too many tasks wait for the workers of this task queue"))
    }

    /// Under the lock: a run came back for a queue that has room; its mark goes.
    func unmark(_ run: CachedRun, in slot: WorkflowSlot) {
        guard run.execution.isRunning else { return }
        let item = LaneItem(slot: slot, run: run)
        item.alarm = .set(AlarmValue(at: nil, waiting: .none))
        run.isParkedInStore = false
        enqueue(item)
    }
}
