internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Under the lock: writes a run's alarm, and lets the run leave memory when that is committed and it still may.
    func leave(
        _ run: CachedRun,
        in slot: WorkflowSlot,
        _ alarm: AlarmValue,
        then: (@Sendable () -> Void)? = nil
    ) {
        let item = LaneItem(slot: slot, run: run)
        item.alarm = .set(alarm)
        // A transition after this one sets the alarm back to active, in its own transaction.
        run.alarmIsSet(isActive: alarm.at == nil)
        item.release = { [self] in
            perform {
                guard slot.cached === run else { return }
                guard run.residence == .parking,
                    run.canLeave(at: clock(), horizon: configuration.alarmHorizon, queries)
                else {
                    // Something came meanwhile: it stays, and is looked at again when it is idle.
                    touch(run)
                    return
                }
                slot.state.park(run)
                run.leaveMemory()
                dropIfUnused(slot)
            }
            then?()
        }
        enqueue(item)
    }

    /// The queue of a due task is full: its run is marked as waiting for it, and leaves memory where it can. One that
    /// can't is marked all the same, since its task is offered again only when the mark is paged back. A run that is
    /// marked for another queue already stays in memory, where the loader finds it.
    func pageOut(_ task: MatchingTask, told listener: @escaping @Sendable () -> Void) {
        if case .query(let id, _) = task.kind { return refuseQuery(id) }
        let retry: @Sendable (RequestError) -> Void = { [self] _ in
            postpone { [self] in pageOut(task, told: listener) }
        }
        access(task.key, refuse: retry) { shard, slot, _ in
            guard let run = slot.cached, run.runID == task.runID, run.execution.isRunning else { return }
            let now = shard.clock()
            if let other = run.markedQueue, other != task.queue, run.waits(for: other, at: now) {
                run.queuesBeside.insert(task.queue)
                shard.queuesBeside.insert(task.queue)
                shard.deferred.call(listener)
                return
            }
            run.markedQueue = task.queue
            run.queuesBeside.remove(task.queue)
            let horizon = shard.configuration.alarmHorizon
            let waiting = AlarmValue.Waiting.queue(task.queue.storedName, since: run.dueSince(task.kind) ?? now)
            let next = run.execution.nextDeadline
            // Whether it may leave is known only when all of it is committed; one with something due soon stays, and so
            // does one with a task that is in another queue.
            let mayLeave =
                run.execution.volatile.startedTask == nil && run.execution.durable.bufferedEvents.isEmpty
                && next.map { $0 > now + horizon } ?? true && run.waitsOnly(for: task.queue, at: now)
            let alarm = AlarmValue(at: mayLeave ? next ?? .distantFuture : nil, waiting: waiting)
            shard.leave(run, in: slot, alarm, then: listener)
        }
    }

    /// Nobody else will ask for this again: the timer does, when the database can be reached.
    func postpone(_ action: @escaping @Sendable () -> Void) {
        perform { if isOwned { deferred.retryLater(action) } }
    }

    /// A query finds no room in the queue of its workflow: it can't wait in the database.
    private func refuseQuery(_ id: UInt64) {
        let error = RequestError(.resourceExhausted, "too many tasks wait for the workers of this task queue")
        perform { carryOut(queries.refused(id, error), seen: nil) }
    }

    /// Under the lock: offers the tasks of a queue whose runs are marked for another one. Returns of how many runs.
    func offerBeside(_ queue: TaskQueueKey, atMost limit: Int) -> Int {
        guard queuesBeside.contains(queue) else { return 0 }
        let now = clock()
        var count = 0
        for slot in slots.values {
            guard let run = slot.cached, run.queuesBeside.contains(queue) else { continue }
            if count == limit { return count }
            count += 1
            run.queuesBeside.remove(queue)
            deferred.offer(run.waitingTasks(at: now).map { task(of: $0, run) }.filter { $0.queue == queue })
        }
        queuesBeside.remove(queue)
        return count
    }

    /// Under the lock: a run came back for a queue that has room; its mark goes.
    func unmark(_ run: CachedRun, in slot: WorkflowSlot) {
        guard run.execution.isRunning else { return }
        let item = LaneItem(slot: slot, run: run)
        item.alarm = .set(AlarmValue(at: nil, waiting: .none))
        run.alarmIsSet(isActive: true)
        run.markedQueue = nil
        enqueue(item)
    }
}
