internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreProtobuf
internal import SagamoreServices

/// The transaction of a commit, statement by statement as the lane sends them: the first one that fails decides.
extension SimulatedDatabase {
    func commit(_ batch: CommitBatch, _ fence: ShardFence) throws(CommitError) {
        guard plantedBugs.contains(.inboxInAnotherTransaction), !batch.inbox.isEmpty else {
            let missing = try transaction { () throws(CommitError) in try writeRows(of: batch, fence) }
            onCommit?(batch, fence)
            for finding in missing { onMissingRows?(finding) }
            return
        }
        var effects = batch
        effects.inbox = []
        _ = try transaction { () throws(CommitError) in try writeRows(of: effects, fence) }
        onCommit?(batch, fence)
        if isAnswerLost { return }
        try transaction { () throws(CommitError) in
            var statements = CommitStatements(database: self)
            try statements.insert(inbox: batch.inbox)
        }
    }

    /// Returns what was to be changed and is not there.
    func writeRows(of batch: CommitBatch, _ fence: ShardFence) throws(CommitError) -> [String] {
        var statements = CommitStatements(database: self)
        try statements.pass(fence, records: batch.outbox.count)
        statements.close(batch.closedRuns)
        try statements.requireNew(batch.assumedNew)
        try statements.change(batch.alarms, batch.newRuns)
        statements.deleteHeartbeats(batch.endedHeartbeats)
        try statements.upsert(heartbeats: batch.heartbeats)
        try statements.insert(runs: batch.newRuns)
        statements.endBacklogs(batch.endedBacklogs)
        try statements.change(batch.backlog)
        try statements.copy(batch.resets)
        try statements.insert(journal: batch.journal)
        try statements.write(batch.snapshots)
        statements.delete(batch.deletions)
        try statements.insert(inbox: batch.inbox)
        try statements.insert(outbox: batch.outbox, fence)
        return statements.missing
    }
}

/// Counts the statements, since an error names its own.
struct CommitStatements {
    let database: SimulatedDatabase
    private(set) var statement = -1
    private(set) var missing: [String] = []

    init(database: SimulatedDatabase) { self.database = database }

    mutating func begin() { statement += 1 }

    /// A row that is changed has to be there: the commit stands, and the store of production ends the process.
    mutating func miss(_ table: String, _ runID: RunID) { missing.append("\(table) has no row of run \(runID)") }

    mutating func pass(_ fence: ShardFence, records: Int) throws(CommitError) {
        begin()
        guard var row = database.tables.shard(fence.shard), row.epoch == fence.epoch else {
            if database.plantedBugs.contains(.fenceThatReturns) { return }
            let message = "shard \(fence.shard) is not owned with epoch \(fence.epoch) any more"
            throw .refused("SG001", message, statement: statement)
        }
        row.outboxSequence += Int64(records)
        row.commitCount += 1
        database.write(.shard(fence.shard, row))
    }

    mutating func close(_ closings: [RunClosing]) {
        guard !closings.isEmpty else { return }
        begin()
        for closing in closings {
            guard var run = database.tables.runs[closing.runID] else {
                miss("runs", closing.runID)
                continue
            }
            run.status = closing.status
            run.closedAt = closing.closedAt
            run.historyLength = closing.historyLength
            run.historyBytes = closing.historyBytes
            database.write(.run(closing.runID, run))
        }
    }

    mutating func requireNew(_ keys: [WorkflowKey]) throws(CommitError) {
        guard !keys.isEmpty else { return }
        begin()
        for key in keys { try CommitError.refuseNul(key.workflowID, statement: statement) }
        guard keys.contains(where: { database.tables.runsByWorkflow[$0] != nil }) else { return }
        let message = "a workflow that was taken to be new has a run"
        throw .refused(CommitError.knownWorkflow, message, statement: statement)
    }

    mutating func insert(runs: [RunRow]) throws(CommitError) {
        guard !runs.isEmpty else { return }
        begin()
        for run in runs {
            try CommitError.refuseNul(
                run.key.workflowID,
                run.workflowType,
                run.taskQueue,
                run.startRequestID,
                statement: statement
            )
        }
        for run in runs {
            if database.tables.runs[run.runID] != nil {
                database.onRepeatedRow?("run \(run.runID)")
                throw .duplicate("runs_pkey", statement: statement)
            }
            database.write(.run(run.runID, run))
        }
    }

    mutating func insert(journal: [JournalRow]) throws(CommitError) {
        guard !journal.isEmpty else { return }
        begin()
        for row in journal {
            if database.tables.journalRow(row.runID, row.sequence) != nil {
                database.onRepeatedRow?("row \(row.sequence) of run \(row.runID)")
                throw .duplicate("journal_pkey", statement: statement)
            }
            database.write(.journal(row.runID, row.sequence, row))
        }
    }

    mutating func insert(inbox: [InboxRow]) throws(CommitError) {
        guard !inbox.isEmpty else { return }
        begin()
        for row in inbox {
            let source = row.source
            try CommitError.refuseNul(
                row.key.workflowID,
                row.commandID,
                source.cluster,
                source.topic,
                statement: statement
            )
        }
        for row in inbox {
            let key = LookUp(key: row.key, commandID: row.commandID)
            if database.tables.inbox[key] != nil { throw .duplicate("inbox_commands", statement: statement) }
            database.rowNumber += 1
            database.write(.inbox(key, InboxEntry(row: row, number: database.rowNumber)))
        }
    }

    mutating func insert(outbox: [OutboxRecord], _ fence: ShardFence) throws(CommitError) {
        guard !outbox.isEmpty else { return }
        begin()
        for record in outbox { try CommitError.refuseNul(record.topic, statement: statement) }
        for (index, record) in outbox.enumerated() {
            let sequence = fence.outboxSequence + 1 + Int64(index)
            if database.tables.outboxEntry(fence.shard, sequence) != nil {
                throw .duplicate("outbox_pkey", statement: statement)
            }
            let size = (record.value?.count ?? 0) + OutboxHeaders.encode(record.headers).count
            database.write(.outbox(fence.shard, sequence, OutboxEntry(record: record, size: size)))
        }
    }
}

// MARK: - Alarms

extension CommitStatements {
    mutating func change(_ changes: [AlarmChange], _ newRuns: [RunRow]) throws(CommitError) {
        guard !changes.isEmpty else { return }
        set(changes)
        close(changes)
        remove(changes)
        try insert(changes, newRuns)
    }

    private mutating func set(_ changes: [AlarmChange]) {
        var isBegun = false
        for change in changes {
            guard case .set(let value) = change.change else { continue }
            if !isBegun { begin() }
            isBegun = true
            guard var row = database.tables.alarms[change.runID] else {
                miss("alarms", change.runID)
                continue
            }
            if value.at != nil, database.plantedBugs.contains(.alarmLostAtParking) { continue }
            row.at = value.at
            database.write(.alarm(change.runID, row))
        }
    }

    private mutating func close(_ changes: [AlarmChange]) {
        var isBegun = false
        for change in changes {
            guard case .close(let value) = change.change else { continue }
            if !isBegun { begin() }
            isBegun = true
            guard var row = database.tables.alarms[change.runID] else {
                miss("alarms", change.runID)
                continue
            }
            row.at = value.at
            row.open = nil
            database.write(.alarm(change.runID, row))
        }
    }

    private mutating func remove(_ changes: [AlarmChange]) {
        var isBegun = false
        for change in changes where change.change == .remove {
            if !isBegun { begin() }
            isBegun = true
            guard database.tables.alarms[change.runID] != nil else {
                miss("alarms", change.runID)
                continue
            }
            database.write(.alarm(change.runID, nil))
        }
    }

    private mutating func insert(_ changes: [AlarmChange], _ newRuns: [RunRow]) throws(CommitError) {
        var inserted: [(RunID, AlarmValue, WorkflowKey?, isOpen: Bool)] = []
        // Alarms are inserted in the order of their runs' rows, so the next row is tried first.
        var next = 0
        for change in changes {
            guard case .insert(let value, let isOpen) = change.change else { continue }
            let found = newRuns[next...].firstIndex { $0.runID == change.runID }
            let index = found ?? newRuns[..<next].firstIndex { $0.runID == change.runID }
            if let index { next = index + 1 }
            let key = index.map { newRuns[$0].key }
            inserted.append((change.runID, value, key, isOpen))
        }
        guard !inserted.isEmpty else { return }
        begin()
        for (_, _, key, isOpen) in inserted where isOpen {
            if let key { try CommitError.refuseNul(key.workflowID, statement: statement) }
        }
        for (runID, value, key, isOpen) in inserted {
            guard let key else {
                let message = "null value in column \"slice\" of relation \"alarms\" violates not-null constraint"
                throw .refused("23502", message, statement: statement)
            }
            if database.tables.alarms[runID] != nil { throw .duplicate("alarms_pkey", statement: statement) }
            if isOpen, database.tables.openRuns[key] != nil { throw .duplicate("alarms_open", statement: statement) }
            let row = AlarmRow(at: value.at, slice: SliceTable.slice(of: key), open: isOpen ? key : nil)
            database.write(.alarm(runID, row))
        }
    }
}

// MARK: - Heartbeats, backlog, snapshots

extension CommitStatements {
    mutating func deleteHeartbeats(_ runIDs: [RunID]) {
        guard !runIDs.isEmpty else { return }
        begin()
        for runID in runIDs { database.deleteHeartbeats(of: runID) }
    }

    mutating func upsert(heartbeats: [HeartbeatRow]) throws(CommitError) {
        guard !heartbeats.isEmpty else { return }
        begin()
        var written: Set<BacklogRow.Key> = []
        for row in heartbeats {
            let key = BacklogRow.Key(runID: row.runID, task: row.scheduledEventID)
            if !written.insert(key).inserted { throw .updatesTwice(statement: statement) }
            database.write(.heartbeat(row.runID, row.scheduledEventID, row))
        }
    }

    mutating func endBacklogs(_ runIDs: [RunID]) {
        guard !runIDs.isEmpty else { return }
        begin()
        for runID in runIDs {
            for task in database.tables.backlogByRun[runID] ?? [] {
                database.write(.backlog(BacklogRow.Key(runID: runID, task: task), nil))
            }
        }
    }

    mutating func change(_ backlog: [BacklogChange]) throws(CommitError) {
        guard !backlog.isEmpty else { return }
        var removed: [BacklogRow] = []
        var stored: [BacklogRow] = []
        for change in backlog {
            if case .remove(let row) = change { removed.append(row) } else { stored.append(change.row) }
        }
        if !removed.isEmpty {
            begin()
            for row in removed { try CommitError.refuseNul(row.queue, statement: statement) }
            for row in removed where database.tables.backlog[row.key]?.queue == ExactText(row.queue) {
                database.write(.backlog(row.key, nil))
            }
        }
        guard !stored.isEmpty else { return }
        begin()
        for row in stored { try CommitError.refuseNul(row.queue, statement: statement) }
        var written: Set<BacklogRow.Key> = []
        for row in stored {
            // The row gets its slice from its run.
            guard let run = database.tables.runs[row.key.runID] else {
                miss("backlog", row.key.runID)
                continue
            }
            if !written.insert(row.key).inserted { throw .updatesTwice(statement: statement) }
            database.rowNumber += 1
            let slice = SliceTable.slice(of: run.key)
            var place = row.place
            if let old = database.tables.backlog[row.key]?.row, ExactText(old.queue) == ExactText(row.queue) {
                place = min(place, old.place)
            }
            let stored = BacklogRow(
                key: row.key,
                queue: row.queue,
                since: row.since,
                priority: row.priority,
                place: place
            )
            let entry = BacklogEntry(row: stored, slice: slice, number: database.rowNumber)
            database.write(.backlog(row.key, entry))
        }
    }

    /// Rows of the journal that a snapshot covers lose their facts: those without events, and large facts of others.
    mutating func write(_ snapshots: [SnapshotRow]) throws(CommitError) {
        guard !snapshots.isEmpty else { return }
        begin()
        var written: Set<RunID> = []
        for snapshot in snapshots {
            if !written.insert(snapshot.runID).inserted { throw .updatesTwice(statement: statement) }
            var row = snapshot
            row.previousSequence = 0
            database.write(.snapshot(snapshot.runID, row))
        }
        begin()
        begin()
        for snapshot in snapshots {
            let rows = database.tables.journal[snapshot.runID] ?? []
            let first = rows.firstPlace { $0.sequence >= snapshot.previousSequence }
            let end = rows.firstPlace { $0.sequence >= snapshot.sequence }
            guard first < end else { continue }
            for row in rows[first..<end] {
                if row.events.isEmpty {
                    database.write(.journal(row.runID, row.sequence, nil))
                } else if row.facts.count > 1_024 {
                    var cut = row
                    cut.facts = []
                    database.write(.journal(row.runID, row.sequence, cut))
                }
            }
        }
    }
}

extension SimulatedDatabase {
    /// A run with all that retention deletes.
    func deleteRun(_ runID: RunID) {
        for row in tables.journal[runID] ?? [] { write(.journal(runID, row.sequence, nil)) }
        if tables.snapshots[runID] != nil { write(.snapshot(runID, nil)) }
        deleteHeartbeats(of: runID)
        if tables.resets[runID] != nil { write(.reset(runID, base: nil)) }
        write(.run(runID, nil))
    }

    func deleteHeartbeats(of runID: RunID) {
        for row in tables.heartbeats[runID] ?? [] { write(.heartbeat(runID, row.scheduledEventID, nil)) }
    }
}

extension CommitBatch {
    /// Whether any row is of this run.
    func writes(to runID: RunID) -> Bool {
        newRuns.contains { $0.runID == runID } || closedRuns.contains { $0.runID == runID }
            || journal.contains { $0.runID == runID } || snapshots.contains { $0.runID == runID }
            || alarms.contains { $0.runID == runID } || heartbeats.contains { $0.runID == runID }
            || backlog.contains { $0.row.key.runID == runID } || endedHeartbeats.contains(runID)
            || endedBacklogs.contains(runID) || deletions.contains { $0.runID == runID }
            || resets.contains { $0.runID == runID }
    }
}
