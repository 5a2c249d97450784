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
                guard run.isParkedInStore, mayLeave(self), slot.cached === run else { return }
                slot.current = .parked(run.row)
                dropIfUnused(slot)
            }
            then?()
        }
        enqueue(item)
    }

    /// The queue of a due task is full: its run is marked as waiting for it, and leaves memory where it can. One that
    /// can't is marked all the same, since its task is offered again only when the mark is paged back.
    func pageOut(_ task: MatchingTask, told listener: @escaping @Sendable () -> Void) {
        access(task.key, refuse: { _ in }) { shard, slot, _ in
            guard let run = slot.cached, run.runID == task.runID, run.execution.isRunning else { return }
            let now = shard.clock()
            let horizon = shard.configuration.alarmHorizon
            let waiting = AlarmValue.Waiting.queue(task.queue.storedName, since: now)
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

    /// Under the lock: a run came back for a queue that has room; its mark goes.
    func unmark(_ run: CachedRun, in slot: WorkflowSlot) {
        let item = LaneItem(slot: slot, run: run)
        item.alarm = .set(AlarmValue(at: nil, waiting: .none))
        run.isParkedInStore = false
        enqueue(item)
    }
}
