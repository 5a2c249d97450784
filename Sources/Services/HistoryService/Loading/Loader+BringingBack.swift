internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// Runs that come back without being asked for: after the shard was taken, for an alarm, for a queue that has room.
extension Loader {
    /// Runs that are brought back in one turn.
    private static let pageLimit = 256

    /// Loads the workflows of runs that are not in memory.
    private func bringBack(
        _ rows: [RunRow],
        pagedIn: PagedTasks? = nil,
        then: @escaping (_ isDone: Bool) -> Void
    ) {
        let slots = shard.perform {
            shard.isOwned ? rows.map { shard.slot($0.key) }.filter { $0.state.requestReturn() } : []
        }
        load(slots, pagedIn: pagedIn, then: then)
    }

    private func retry(_ job: LoadJob) {
        shard.loads.add(job, notBefore: SteadyClock.now() + Self.retryPause)
    }

    /// One page; others may go first before the next one.
    func recover(after: RunID?, count: Int) {
        let page = withStore { (store) throws(CommitError) in
            try store.activeRuns(shard: self.shard.id, after: after, limit: Self.pageLimit)
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
        shard.perform { if queues.isEmpty, shard.backlogRows == .unknown { shard.backlogRows = .none } }
        onWaitingQueues(queues.compactMap { TaskQueueKey(storedName: $0) })
        if count > 0 {
            shard.log.info("runs recovered", metadata: ["shard": "\(shard.id)", "runs": "\(count)"])
        }
        onRecovered()
    }

    /// Brings the parked runs back whose alarm is near, a page of them.
    func wakeParked(after last: (Instant, RunID)?) {
        // One pass at a time: it looks at the clock again for each page.
        if last == nil, isWaking { return }
        isWaking = true
        let before = shard.clock() + shard.configuration.alarmHorizon
        let found = withStore { (store) throws(CommitError) in
            try store.parkedRuns(shard: self.shard.id, before: before, after: last, limit: Self.pageLimit)
        }
        guard case .success(let page) = found else {
            // The timer asks again.
            isWaking = false
            return
        }
        bringBack(page.map(\.0)) { [self] isDone in
            guard isDone, page.count == Self.pageLimit, let end = page.last else {
                isWaking = false
                return
            }
            shard.loads.add(.wakeParked(after: (end.1, end.0.runID)))
        }
    }

    /// Brings back the tasks that have waited longest for room in a queue.
    func pageIn(
        _ queue: TaskQueueKey,
        limit: Int,
        _ done: @escaping @Sendable (_ isMoreWaiting: Bool) -> Void
    ) {
        let found = withStore { (store) throws(CommitError) in
            try store.waitingTasks(shard: self.shard.id, queue: queue.storedName, limit: limit)
        }
        guard case .success(let tasks) = found else { return retry(.pageIn(queue, limit: limit, done: done)) }
        let rows = Dictionary(grouping: tasks.map(\.row), by: \.key.runID)
        // A run of several tasks comes back once.
        var runs: [RunRow] = []
        var seen: Set<RunID> = []
        for task in tasks where seen.insert(task.run.runID).inserted { runs.append(task.run) }
        guard offerAgain(runs, rows, for: queue) else { return done(false) }
        bringBack(runs, pagedIn: PagedTasks(queue: queue, rows: rows)) { isDone in
            done(!isDone || tasks.count == limit)
        }
    }

    /// Offers the tasks of those runs that are in memory. False when the shard is lost.
    private func offerAgain(_ runs: [RunRow], _ rows: [RunID: [BacklogRow]], for queue: TaskQueueKey) -> Bool {
        shard.perform {
            guard shard.isOwned else { return false }
            for row in runs {
                guard let slot = shard.slots[row.key], let run = slot.cached, run.runID == row.runID else { continue }
                shard.pageIn(rows[run.runID] ?? [], for: queue, of: run, in: slot)
            }
            return true
        }
    }
}
