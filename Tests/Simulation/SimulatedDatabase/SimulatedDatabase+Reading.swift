public import SagamoreEngine
public import SagamorePersistence
internal import SagamoreProtobuf
public import SagamoreServices

/// What is committed, for checks and reports: no session, no faults. Lists are in the order of their keys. What a
/// transaction that hangs has written is not seen before `settle()` has ended it.
extension SimulatedDatabase {
    /// The rows of all shards, by number.
    public var shards: [ShardRow] { tables.shards }

    /// The shard of each slice.
    public var sliceTable: SliceTable { tables.sliceTable }

    /// The shard that has a workflow's slice.
    public func shard(of key: WorkflowKey) -> Int32 { tables.slices[SliceTable.slice(of: key)] }

    /// The number of runs.
    public var runCount: Int { tables.runs.count }

    /// All runs by id.
    public var runs: [RunRow] { tables.runs.values }

    /// A run; nil if there is none.
    public func run(_ runID: RunID) -> RunRow? { tables.runs[runID] }

    /// The runs of a workflow, the newest last.
    public func runIDs(of key: WorkflowKey) -> [RunID] { tables.runsByWorkflow[key] ?? [] }

    /// The run that is open, by its alarm; nil if none is.
    public func openRun(of key: WorkflowKey) -> RunID? { tables.openRuns[key] }

    /// The runs that are open, by their alarms.
    public var openRuns: [RunID] {
        var runs: [RunID] = []
        tables.alarms.scan(after: nil) { id, alarm in
            if alarm.open != nil { runs.append(id) }
            return true
        }
        return runs
    }

    /// The deleted runs whose journals are not erased yet.
    public var deletions: [RunID] {
        var runs: [RunID] = []
        tables.deletions.scan(after: nil) { id, _ in
            runs.append(id)
            return true
        }
        return runs
    }

    /// The number of runs that have an alarm: open ones, and closed ones with debts.
    public var alarmCount: Int { tables.alarms.count }

    /// The alarm of a run; nil if it has none.
    public func alarm(of runID: RunID) -> AlarmRow? { tables.alarms[runID] }

    /// All alarms, by run.
    public var alarms: [(runID: RunID, alarm: AlarmRow)] {
        var alarms: [(runID: RunID, alarm: AlarmRow)] = []
        tables.alarms.scan(after: nil) { id, alarm in
            alarms.append((id, alarm))
            return true
        }
        return alarms
    }

    /// The rows of a run's journal.
    public func journal(of runID: RunID) -> [JournalRow] { tables.journal[runID] ?? [] }

    /// The snapshot of a run, with 0 as `previousSequence`; nil if it has none.
    public func snapshot(of runID: RunID) -> SnapshotRow? { tables.snapshots[runID] }

    /// The heartbeat details of a run.
    public func heartbeats(of runID: RunID) -> [HeartbeatRow] { tables.heartbeats[runID] ?? [] }

    /// The tasks of a run that wait for room in a queue.
    public func backlog(of runID: RunID) -> [BacklogRow] {
        (tables.backlogByRun[runID] ?? []).compactMap { task in
            let key = BacklogRow.Key(runID: runID, task: task)
            return tables.backlog[key]?.row
        }
    }

    /// All tasks that wait for room, by queue and place.
    public var backlog: [BacklogRow] {
        var rows: [BacklogRow] = []
        tables.backlogByQueue.scan(after: nil) { _, places in
            places.scan(after: nil) { _, key in
                if let entry = tables.backlog[key] { rows.append(entry.row) }
                return true
            }
            return true
        }
        return rows
    }

    /// The commands, by the time at which they were received.
    public var inbox: [InboxRow] { tables.inboxByTime.values }

    /// A command; nil if it is not known.
    public func inboxRow(of key: WorkflowKey, commandID: String) -> InboxRow? {
        tables.inbox[LookUp(key: key, commandID: commandID)]?.row
    }

    /// A shard's records that are not deleted yet.
    public func outbox(of shard: Int32) -> [(sequence: Int64, record: OutboxRecord)] {
        var records: [(sequence: Int64, record: OutboxRecord)] = []
        tables.outbox(of: shard).scan(after: nil) { sequence, entry in
            records.append((sequence, entry.record))
            return true
        }
        return records
    }

    /// The number of records that are not deleted yet, of all shards.
    public var outboxCount: Int { tables.outbox.reduce(0) { $0 + $1.count } }

    /// Which records wait for those of other shards.
    public var outboxWaits: [OutboxWaitRow] {
        var rows: [OutboxWaitRow] = []
        tables.waits.scan(after: nil) { key, through in
            rows.append(
                OutboxWaitRow(
                    shard: key.shard,
                    afterSequence: key.afterSequence,
                    forShard: key.forShard,
                    throughSequence: through
                )
            )
            return true
        }
        return rows
    }

    /// The noted progress of a shard's topics, by topic.
    public func positions(of shard: Int32) -> [(topic: String, sequence: Int64)] {
        tables.positions(of: shard).sorted { $0.key < $1.key }.map { ($0.key.text, $0.value) }
    }

    /// Records that the broker refused.
    public var deadEvents: [DeadEventRow] { tables.deadEvents.values }

    /// The newest form of rows that may be written.
    public var formatLevel: Int32 { tables.formatLevel }

    /// Changes the level, as a migration by another version does.
    public func setFormatLevel(_ level: Int32) { administer(.formatLevel(level)) }

    /// Makes a namespace, or changes it; removes it for nil.
    public func setRetention(_ retention: Interval?, of namespace: Int32) {
        administer(.retention(namespace, retention))
    }

    private func administer(_ change: Change) {
        // Nothing in it throws.
        try? transaction { () throws(CommitError) in write(change) }
    }
}

extension Tables {
    func positions(of shard: Int32) -> [ExactText: Int64] {
        positions.indices.contains(Int(shard)) ? positions[Int(shard)] : [:]
    }
}
