internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// Runs that come back without being asked for: after the shard was taken, for an alarm, for a queue that has room.
extension Loader {
    /// Runs that are brought back in one turn.
    private static let pageLimit = 256

    /// Loads the workflows of runs that are not in memory.
    private func bringBack(_ rows: [RunRow], isUnmarking: Bool = false, then: @escaping (_ isDone: Bool) -> Void) {
        let slots = shard.perform {
            shard.isOwned ? rows.map { shard.slot($0.key) }.filter { $0.state.requestReturn() } : []
        }
        load(slots, isUnmarking: isUnmarking, then: then)
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

    /// Brings back runs that wait for room in a task queue, and offers their tasks.
    func pageIn(
        _ queue: TaskQueueKey,
        limit: Int,
        _ done: @escaping @Sendable (_ isMoreWaiting: Bool) -> Void
    ) {
        // At most half of the room is for those that are in memory all the same.
        let beside = shard.perform {
            shard.isOwned ? shard.offerBeside(queue, atMost: (limit + 1) / 2) : 0
        }
        let rest = max(1, limit - beside)
        let found = withStore { (store) throws(CommitError) in
            try store.waitingRuns(shard: self.shard.id, queue: queue.storedName, limit: rest)
        }
        guard case .success(let rows) = found else { return retry(.pageIn(queue, limit: limit, done: done)) }
        guard offerAgain(rows) else { return done(false) }
        bringBack(rows, isUnmarking: true) { [shard] isDone in
            done(!isDone || rows.count == rest || shard.perform { shard.queuesBeside.contains(queue) })
        }
    }

    /// Offers the tasks of those runs that did not leave memory: their task is in no queue, or in another one, too. A
    /// task of another full queue can have the mark now. False when the shard is lost.
    private func offerAgain(_ rows: [RunRow]) -> Bool {
        let now = shard.clock()
        return shard.perform {
            guard shard.isOwned else { return false }
            for row in rows {
                guard let slot = shard.slots[row.key], let run = slot.cached, run.runID == row.runID else { continue }
                shard.unmark(run, in: slot)
                shard.offer(run.waitingTasks(at: now), of: run)
            }
            return true
        }
    }
}
