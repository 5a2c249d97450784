internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// Brings back runs that no request asked for: after the shard was taken, for an alarm, or for a task queue that has
/// room.
extension Loader {
    /// Loads the workflows of the open runs that are not in memory. Closed runs may have debts, and are loaded by their
    /// ids.
    private func bringBack(
        _ rows: [RunRow],
        pagedIn: PagedTasks? = nil,
        then: @escaping (_ isDone: Bool) -> Void
    ) {
        var contexts: [WorkflowContext] = []
        var debtors: [ClaimedDebtor] = []
        shard.perform {
            guard shard.state.ownership.isOwned else { return }
            for row in rows {
                let context = shard.state.runs.context(row.key)
                if row.status == .running {
                    if context.state.requestReturn() { contexts.append(context) }
                } else if context.state.beginReadingDebtor(row.runID) {
                    debtors.append(ClaimedDebtor(context: context, row: row))
                }
            }
        }
        load(contexts, debtors: debtors, pagedIn: pagedIn, then: then)
    }

    /// Reloads the closed runs among these, whose commits failed. A run that is stored as open comes back as its
    /// workflow's current run.
    func loadDebtors(_ ids: [RunID]) {
        let found = withStore { (store) throws(CommitError) in try store.loadRuns(ids) }
        let retryAll = { [self] in for id in ids { retry(.debtor(id)) } }
        guard case .success(let rows) = found else { return retryAll() }
        let closed = ids.compactMap { rows[$0] }.filter { $0.status != .running }
        bringBack(closed) { isDone in
            if !isDone { retryAll() }
        }
    }

    private func retry(_ job: LoadJob) {
        shard.loads.add(job, notBefore: shard.steadyClock() + Self.retryPause)
    }

    /// Brings back one page of active runs. Other jobs may go before the next page.
    func recover(after: RunID?, count: Int) {
        let page = withStore { (store) throws(CommitError) in
            try store.activeRuns(shard: self.shard.id, after: after, limit: bounds.lookUps)
        }
        guard case .success(let rows) = page else { return retry(.recover(after: after, count: count)) }
        if let last = rows.last {
            return bringBack(rows) { [self] isDone in
                guard isDone else { return retry(.recover(after: after, count: count)) }
                shard.loads.add(.recover(after: last.runID, count: count + rows.count))
            }
        }
        let waiting = withStore { (store) throws(CommitError) in try store.waitingQueues(shard: self.shard.id) }
        guard case .success(let queues) = waiting else { return retry(.recover(after: after, count: count)) }
        shard.perform {
            if queues.isEmpty, shard.state.backlogRows == .unknown { shard.state.backlogRows = .none }
            shard.state.isRecovered = shard.state.ownership.isOwned
        }
        onWaitingQueues(queues.compactMap { TaskQueueKey(storedName: $0) })
        if count > 0 {
            shard.log.info("runs recovered", metadata: ["shard": "\(shard.id)", "runs": "\(count)"])
        }
        onRecovered()
    }

    /// Brings back a page of the parked runs whose alarms are near.
    func wakeParked(after last: (Instant, RunID)?) {
        // A pass that is under way reads the clock for each page, so it finds what is due now.
        if last == nil, isWaking { return }
        isWaking = true
        let before = shard.clock() + shard.configuration.alarmHorizon
        let found = withStore { (store) throws(CommitError) in
            try store.parkedRuns(shard: self.shard.id, before: before, after: last, limit: bounds.lookUps)
        }
        guard case .success(let page) = found else {
            // The timer will ask again.
            isWaking = false
            return
        }
        bringBack(page.map(\.0)) { [self] isDone in
            guard isDone, page.count == bounds.lookUps, let end = page.last else {
                isWaking = false
                return
            }
            shard.loads.add(.wakeParked(after: (end.1, end.0.runID)))
        }
    }

    /// Brings back the first of the tasks that wait for room in a task queue.
    ///
    /// - Parameter done: gets the place before which none of the shard's tasks waits any more; nil when none waits.
    func pageIn(
        _ queue: TaskQueueKey,
        limit: Int,
        _ done: @escaping @Sendable (_ next: TaskPlace?) -> Void
    ) {
        let found = withStore { (store) throws(CommitError) in
            try store.waitingTasks(shard: self.shard.id, queue: queue.storedName, limit: limit)
        }
        guard case .success(let tasks) = found else { return retry(.pageIn(queue, limit: limit, done: done)) }
        let rows = Dictionary(grouping: tasks.map(\.row), by: \.key.runID)
        // A run with several tasks comes back once.
        var runs: [RunRow] = []
        var seen: Set<RunID> = []
        for task in tasks where seen.insert(task.run.runID).inserted { runs.append(task.run) }
        guard offerAgain(runs, rows, for: queue) else { return done(nil) }
        let last = tasks.count == limit ? tasks.last?.row : nil
        let next = last.map { TaskPlace(level: $0.priority, place: $0.place) }
        bringBack(runs, pagedIn: PagedTasks(queue: queue, rows: rows)) { [shard] isDone in
            // Not before the rows are gone: the next page would find them again, and fill a slow lane with removals.
            shard.perform {
                shard.releaseInOrder({ done(isDone ? next : .front) }, refuse: { _ in done(.front) })
            }
        }
    }

    /// Offers the tasks of the runs that are already in memory, a part of them in each hold of the lock. Returns false
    /// if the shard is lost.
    private func offerAgain(_ runs: [RunRow], _ rows: [RunID: [BacklogRow]], for queue: TaskQueueKey) -> Bool {
        var rest = runs[...]
        repeat {
            let part = rest.prefix(bounds.settledRuns)
            rest = rest.dropFirst(part.count)
            let isOwned = shard.perform {
                guard shard.state.ownership.isOwned else { return false }
                for row in part { offerAgain(row, rows[row.runID] ?? [], for: queue) }
                return true
            }
            guard isOwned else { return false }
        } while !rest.isEmpty
        return true
    }

    /// Under the lock.
    private func offerAgain(_ row: RunRow, _ rows: [BacklogRow], for queue: TaskQueueKey) {
        shard.state.work.settled &+= 1
        guard let context = shard.state.runs[row.key], let run = context.cached, run.runID == row.runID else { return }
        shard.pageIn(rows, for: queue, of: run, in: context)
    }
}
