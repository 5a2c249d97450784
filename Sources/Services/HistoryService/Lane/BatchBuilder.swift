internal import SagamoreEngine
internal import SagamorePersistence

/// Combines items into one batch. Transitions of one run share a journal row, and for tables with one row per run only
/// the newest value is written. The transition of a snapshot has its own row, so that a load can begin after it.
struct BatchBuilder {
    private(set) var batch = CommitBatch()
    private var journalIndex: [RunID: Int] = [:]
    private var snapshotIndex: [RunID: Int] = [:]
    private var runIndex: [RunID: Int] = [:]
    private var listingIndex: [RunID: Int] = [:]
    private var alarms: [RunID: AlarmChange.Change] = [:]
    private var alarmOrder: [RunID] = []
    private var backlogIndex: [BacklogRow.Key: Int] = [:]
    private var heartbeatIndex: [RunID: [Int64: Int]] = [:]

    static func batch(of items: ArraySlice<LaneItem>) -> CommitBatch {
        var builder = BatchBuilder()
        for item in items { builder.add(item) }
        for id in builder.alarmOrder {
            if let change = builder.alarms[id] { builder.batch.alarms.append(AlarmChange(runID: id, change: change)) }
        }
        // The heartbeats of a run that ends in this batch are deleted before any are written.
        let ended = Set(builder.batch.endedHeartbeats)
        if !ended.isEmpty { builder.batch.heartbeats.removeAll { ended.contains($0.runID) } }
        // A run that ends has no backlog, whatever earlier items would have written.
        let closed = Set(builder.batch.endedBacklogs)
        if !closed.isEmpty { builder.batch.backlog.removeAll { closed.contains($0.row.key.runID) } }
        return builder.batch
    }

    private mutating func add(_ item: LaneItem) {
        if let ending = item.ending { add(ending) }
        if let run = item.newRun {
            runIndex[run.runID] = batch.newRuns.count
            batch.newRuns.append(run)
            if item.assumesNew { batch.assumedNew.append(run.key) }
        }
        if let row = item.journal {
            if item.snapshot == nil, let index = journalIndex[row.runID], batch.journal[index].canTake(row) {
                batch.journal[index].take(row)
            } else {
                journalIndex[row.runID] = batch.journal.count
                batch.journal.append(row)
            }
        }
        if let snapshot = item.snapshot { add(snapshot) }
        if let closing = item.closing {
            if let index = runIndex[closing.runID] {
                batch.newRuns[index].status = closing.status
                batch.newRuns[index].closedAt = closing.closedAt
                batch.newRuns[index].historyLength = closing.historyLength
                batch.newRuns[index].historyBytes = closing.historyBytes
                batch.newRuns[index].listing.transitions = closing.transitions
                batch.newRuns[index].listing.end(as: closing.status, closing.saga)
            } else {
                batch.closedRuns.append(closing)
            }
        }
        if let change = item.listingChange { add(change) }
        if let change = item.alarm, let id = item.run?.runID { add(change, id) }
        if let row = item.inbox { batch.inbox.append(row) }
        if let row = item.heartbeat { add(row) }
        if item.endsHeartbeats, let run = item.run { batch.endedHeartbeats.append(run.runID) }
        for change in item.backlog { add(change) }
        if item.endsBacklog, let run = item.run { batch.endedBacklogs.append(run.runID) }
        if let reset = item.reset { batch.resets.append(reset) }
        if let deletion = item.deletion { batch.deletions.append(deletion) }
        batch.outbox += item.outbox
    }

    private mutating func add(_ snapshot: SnapshotRow) {
        journalIndex[snapshot.runID] = nil
        guard let index = snapshotIndex[snapshot.runID] else {
            snapshotIndex[snapshot.runID] = batch.snapshots.count
            batch.snapshots.append(snapshot)
            return
        }
        // Facts are cut from where the earlier one would have begun.
        let previous = batch.snapshots[index].previousSequence
        batch.snapshots[index] = snapshot
        batch.snapshots[index].previousSequence = previous
    }

    /// A run's row is written once: with the run if it begins in this batch.
    private mutating func add(_ change: RunListingChange) {
        if let index = runIndex[change.runID] {
            batch.newRuns[index].listing.apply(change)
        } else if let index = listingIndex[change.runID] {
            batch.listingChanges[index].apply(change)
        } else {
            listingIndex[change.runID] = batch.listingChanges.count
            batch.listingChanges.append(change)
        }
    }

    /// A task has one row, so the newest change wins.
    private mutating func add(_ change: BacklogChange) {
        if let index = backlogIndex[change.row.key] {
            batch.backlog[index] = change
        } else {
            backlogIndex[change.row.key] = batch.backlog.count
            batch.backlog.append(change)
        }
    }

    /// The statement cannot write a row twice, so the newest value wins.
    private mutating func add(_ row: HeartbeatRow) {
        if let index = heartbeatIndex[row.runID]?[row.scheduledEventID] {
            batch.heartbeats[index] = row
        } else {
            heartbeatIndex[row.runID, default: [:]][row.scheduledEventID] = batch.heartbeats.count
            batch.heartbeats.append(row)
        }
    }

    private mutating func add(_ change: AlarmChange.Change, _ id: RunID) {
        guard let known = alarms[id] else {
            alarms[id] = change
            alarmOrder.append(id)
            return
        }
        switch (known, change) {
        case (.insert, .remove): alarms[id] = nil
        // A run that is done has no alarm any more, whatever was on its way.
        case (.remove, .set): break
        case (.insert(_, let isOpen), .set(let value)): alarms[id] = .insert(value, isOpen: isOpen)
        case (.insert, .close(let value)): alarms[id] = .insert(value, isOpen: false)
        case (.close, .set(let value)): alarms[id] = .close(value)
        default: alarms[id] = change
        }
    }
}
