internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Whether a shard's backlog has rows. If it has none, runs need not delete theirs when they close.
enum BacklogRows {
    /// Recovery has not read the backlog yet.
    case unknown
    /// Recovery found no rows, and no task was paged out since.
    case none
    /// There may be rows, until the shard is dropped.
    case some
}

extension Shard {
    /// Under the lock: writes a run's alarm. Once it is committed the run leaves memory, if it still may. One that came
    /// back and has not changed leaves at once: readers of many such runs would fill a slow lane for good.
    func leave(
        _ run: CachedRun,
        in context: WorkflowContext,
        until alarm: Instant,
        with item: LaneItem,
        then: (@Sendable () -> Void)? = nil
    ) {
        state.work.left &+= 1
        if item.backlog.isEmpty, run.isAbsent(until: alarm) {
            leaveNow(run, in: context)
            if let then { state.deferred.call(then) }
            return
        }
        item.alarm = .set(AlarmValue(at: alarm))
        // A later transition sets the alarm back to active with its own row.
        run.alarmIsSet(isActive: false)
        item.release = { [self] in
            perform { leaveNow(run, in: context) }
            then?()
        }
        enqueue(item)
    }

    /// Under the lock: the run's alarm is stored.
    private func leaveNow(_ run: CachedRun, in context: WorkflowContext) {
        guard context.cached === run else { return }
        guard run.residence == .parking,
            run.canLeave(at: clock(), horizon: configuration.alarmHorizon, state.queries, state.debts)
        else {
            // The run was used meanwhile. It stays, and is checked again when it is idle.
            touch(run)
            return
        }
        context.state.park(run)
        run.leaveMemory()
        state.runs.dropIfUnused(context)
    }

    /// The queue of a due task is full. The task gets a row in the backlog, and its run leaves memory if it can.
    func pageOut(_ task: MatchingTask, told listener: @escaping @Sendable () -> Void) {
        if case .query(let id, _) = task.kind { return refuseQuery(id) }
        let retry: @Sendable (RequestError) -> Void = { [self] _ in
            postpone { [self] in pageOut(task, told: listener) }
        }
        access(task.key, refuse: retry) { shard, context, _ in
            guard let run = context.cached, run.runID == task.runID, run.execution.isRunning else { return }
            let now = shard.clock()
            let id = task.kind.backlogID
            let item = LaneItem(context: context, run: run)
            let key = BacklogRow.Key(runID: run.runID, task: id)
            let since = run.dueSince(task.kind) ?? now
            let row = BacklogRow(
                key: key,
                queue: task.queue.storedName,
                since: since,
                priority: task.priority.level,
                place: task.place ?? since.nanoseconds
            )
            // The run was loaded for something else, and this task was offered again.
            let isStored = run.isStored(id)
            if !isStored { item.backlog = [.store(row)] }
            run.pageOut(id, for: task.queue)
            shard.state.backlogRows = .some
            let horizon = shard.configuration.alarmHorizon
            let next = run.alarm(at: now)
            // Only a first check: whether the run may leave is decided once all of it is committed. A run stays if
            // something is due soon, or if a task of it is in another queue.
            let mayLeave =
                run.execution.volatile.startedTask == nil && run.execution.durable.bufferedEvents.isEmpty
                && next.map { $0 > now + horizon } ?? true && run.isAllPagedOut(at: now)
            if mayLeave {
                shard.leave(run, in: context, until: next ?? .distantFuture, with: item, then: listener)
            } else {
                shard.touch(run)
                if isStored { return shard.state.deferred.call(listener) }
                shard.stay(run, item)
                item.release = listener
                shard.enqueue(item)
            }
        }
    }

    /// Repeats an action at the timer's next sweep, once the database can be reached. No request would repeat it.
    func postpone(_ action: @escaping @Sendable () -> Void) {
        perform { if state.ownership.isOwned { state.deferred.retryLater(action) } }
    }

    /// The task queue of a query is full. A query cannot wait in the database.
    private func refuseQuery(_ id: UInt64) {
        let error = RequestError(.resourceExhausted, "too many tasks wait for the workers of this task queue")
        perform { state.carryOut(state.queries.refused(id, error)) }
    }

    /// Under the lock: sets the alarm to active with the item, if the alarm row may say otherwise.
    private func stay(_ run: CachedRun, _ item: LaneItem) {
        guard run.residence == .parking else { return }
        item.alarm = .set(.active)
        run.alarmIsSet(isActive: true)
    }

    /// Under the lock: the queue of these rows has room. Offers their tasks, and removes the rows in a transaction of
    /// their own. If a crash leaves the rows, the tasks are offered twice, which is checked when they start.
    func pageIn(_ rows: [BacklogRow], for queue: TaskQueueKey, of run: CachedRun, in context: WorkflowContext) {
        guard run.execution.isRunning else { return }
        let now = clock()
        let item = LaneItem(context: context, run: run)
        for row in rows {
            switch run.pageIn(row.key.task, for: queue, at: now) {
            case .keep: continue
            case .remove: break
            case .offer(let task): state.deferred.offer(task.task(of: run, from: row))
            }
            item.backlog.append(.remove(row))
        }
        guard !item.backlog.isEmpty else { return }
        arm(run)
        stay(run, item)
        enqueue(item)
    }
}

extension MatchingTask.Kind {
    /// The id of the task in its run's part of the backlog. Queries are never there.
    fileprivate var backlogID: Int64 {
        switch self {
        case .workflow, .query: 0
        case .activity(let scheduledEventID, _): scheduledEventID
        }
    }
}
