internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

/// All rows, with the indexes by which they are found. Changes only by `apply`, which keeps both in step.
struct Tables {
    private(set) var formatLevel: Int32
    private(set) var shards: [ShardRow]
    private(set) var sliceVersion: Int64 = 1
    /// The shard of each slice.
    private(set) var slices: [Int32]
    private(set) var retentions: [Int32: Interval] = [:]

    private(set) var runs = OrderedMap<RunID, RunRow>()
    /// By id, ascending.
    private(set) var runsByWorkflow: [WorkflowKey: [RunID]] = [:]

    private(set) var alarms = OrderedMap<RunID, AlarmRow>()
    private(set) var activeAlarms = OrderedMap<RunID, AlarmRow>()
    private(set) var parkedAlarms = OrderedMap<ParkedPlace, AlarmRow>()
    private(set) var openRuns: [WorkflowKey: RunID] = [:]

    /// The bases of runs that resets began.
    private(set) var resets = OrderedMap<RunID, RunID>()
    /// The slices of deleted runs whose journals are not erased yet.
    private(set) var deletions = OrderedMap<RunID, Int>()

    private(set) var backlog: [BacklogRow.Key: BacklogEntry] = [:]
    /// The tasks of a run that have a row, ascending.
    private(set) var backlogByRun: [RunID: [Int64]] = [:]
    private(set) var backlogByQueue = OrderedMap<ExactText, OrderedMap<QueuePlace, BacklogRow.Key>>()

    /// By sequence, ascending.
    private(set) var journal: [RunID: [JournalRow]] = [:]
    private(set) var snapshots: [RunID: SnapshotRow] = [:]
    /// By activity, ascending.
    private(set) var heartbeats: [RunID: [HeartbeatRow]] = [:]

    private(set) var inbox: [LookUp: InboxEntry] = [:]
    private(set) var inboxByTime = OrderedMap<TimePlace, InboxRow>()

    /// By shard.
    private(set) var outbox: [OrderedMap<Int64, OutboxEntry>] = []
    private(set) var waits = OrderedMap<WaitKey, Int64>()
    /// By shard.
    private(set) var positions: [[ExactText: Int64]] = []
    private(set) var deadEvents = OrderedMap<DeadKey, DeadEventRow>()

    init(shardCount: Int, formatLevel: Int32) {
        self.formatLevel = formatLevel
        shards = [ShardRow](repeating: ShardRow(), count: shardCount)
        let table = SliceTable.even(over: shardCount)
        slices = (0..<SliceTable.sliceCount).map { table[$0] }
    }

    /// The shard's row; nil if there is none.
    func shard(_ id: Int32) -> ShardRow? { shards.indices.contains(Int(id)) ? shards[Int(id)] : nil }

    func outbox(of shard: Int32) -> OrderedMap<Int64, OutboxEntry> {
        outbox.indices.contains(Int(shard)) ? outbox[Int(shard)] : OrderedMap()
    }

    func outboxEntry(_ shard: Int32, _ sequence: Int64) -> OutboxEntry? {
        outbox.indices.contains(Int(shard)) ? outbox[Int(shard)][sequence] : nil
    }

    func journalRow(_ runID: RunID, _ sequence: Int64) -> JournalRow? {
        guard let rows = journal[runID] else { return nil }
        let place = rows.firstPlace { $0.sequence >= sequence }
        return place < rows.count && rows[place].sequence == sequence ? rows[place] : nil
    }

    func heartbeat(_ runID: RunID, _ scheduledEventID: Int64) -> HeartbeatRow? {
        heartbeats[runID]?.first { $0.scheduledEventID == scheduledEventID }
    }
}

/// The new content of one row; nil deletes it.
enum Change {
    case formatLevel(Int32)
    case shard(Int32, ShardRow)
    case shards([ShardRow], slices: [Int32], version: Int64)
    case retention(Int32, Interval?)
    case run(RunID, RunRow?)
    case alarm(RunID, AlarmRow?)
    case reset(RunID, base: RunID?)
    case deletion(RunID, slice: Int?)
    case backlog(BacklogRow.Key, BacklogEntry?)
    case journal(RunID, Int64, JournalRow?)
    case snapshot(RunID, SnapshotRow?)
    case heartbeat(RunID, Int64, HeartbeatRow?)
    case inbox(LookUp, InboxEntry?)
    case outbox(Int32, Int64, OutboxEntry?)
    case wait(WaitKey, Int64?)
    case position(Int32, ExactText, Int64?)
    case deadEvent(DeadKey, DeadEventRow?)
}

extension Tables {
    /// Returns the change that restores what was before.
    mutating func apply(_ change: Change) -> Change {
        switch change {
        case .formatLevel(let level):
            defer { formatLevel = level }
            return .formatLevel(formatLevel)
        case .shard(let id, let row):
            defer { shards[Int(id)] = row }
            return .shard(id, shards[Int(id)])
        case .shards(let rows, let slices, let version):
            let before = Change.shards(shards, slices: self.slices, version: sliceVersion)
            (shards, self.slices, sliceVersion) = (rows, slices, version)
            return before
        case .retention(let namespace, let retention):
            defer { retentions[namespace] = retention }
            return .retention(namespace, retentions[namespace])
        case .run(let id, let row): return .run(id, setRun(row, id))
        case .alarm(let id, let row): return .alarm(id, setAlarm(row, id))
        case .reset(let id, let base): return .reset(id, base: resets.set(base, for: id))
        case .deletion(let id, let slice): return .deletion(id, slice: deletions.set(slice, for: id))
        case .backlog(let key, let entry): return .backlog(key, setBacklog(entry, key))
        case .journal(let id, let sequence, let row): return .journal(id, sequence, setJournal(row, id, sequence))
        case .snapshot(let id, let row):
            defer { snapshots[id] = row }
            return .snapshot(id, snapshots[id])
        case .heartbeat(let id, let event, let row): return .heartbeat(id, event, setHeartbeat(row, id, event))
        case .inbox(let key, let entry): return .inbox(key, setInbox(entry, key))
        case .outbox(let shard, let sequence, let entry):
            while outbox.count <= Int(shard) { outbox.append(OrderedMap()) }
            return .outbox(shard, sequence, outbox[Int(shard)].set(entry, for: sequence))
        case .wait(let key, let through): return .wait(key, waits.set(through, for: key))
        case .position(let shard, let topic, let sequence):
            while positions.count <= Int(shard) { positions.append([:]) }
            defer { positions[Int(shard)][topic] = sequence }
            return .position(shard, topic, positions[Int(shard)][topic])
        case .deadEvent(let key, let row): return .deadEvent(key, deadEvents.set(row, for: key))
        }
    }

    private mutating func setRun(_ row: RunRow?, _ id: RunID) -> RunRow? {
        let old = runs.set(row, for: id)
        if let old, row == nil {
            runsByWorkflow[old.key]?.removeAll { $0 == id }
            if runsByWorkflow[old.key]?.isEmpty ?? false { runsByWorkflow[old.key] = nil }
        } else if let row, old == nil {
            runsByWorkflow[row.key, default: []].insertInOrder(id)
        }
        return old
    }

    private mutating func setAlarm(_ row: AlarmRow?, _ id: RunID) -> AlarmRow? {
        let old = alarms.set(row, for: id)
        if let old {
            if let at = old.at {
                parkedAlarms.set(nil, for: ParkedPlace(at: at, runID: id))
            } else if row == nil || row?.at != nil {
                activeAlarms.set(nil, for: id)
            }
            if let open = old.open, row?.open == nil { openRuns[open] = nil }
        }
        if let row {
            if let at = row.at {
                parkedAlarms.set(row, for: ParkedPlace(at: at, runID: id))
            } else {
                activeAlarms.set(row, for: id)
            }
            if let open = row.open, old?.open == nil { openRuns[open] = id }
        }
        return old
    }

    private mutating func setBacklog(_ entry: BacklogEntry?, _ key: BacklogRow.Key) -> BacklogEntry? {
        let old = backlog[key]
        backlog[key] = entry
        if let old { place(nil, at: old.place, in: old.queue) }
        if let entry { place(key, at: entry.place, in: entry.queue) }
        if old != nil, entry == nil {
            backlogByRun[key.runID]?.removeAll { $0 == key.task }
            if backlogByRun[key.runID]?.isEmpty ?? false { backlogByRun[key.runID] = nil }
        } else if old == nil, entry != nil {
            backlogByRun[key.runID, default: []].insertInOrder(key.task)
        }
        return old
    }

    private mutating func place(_ key: BacklogRow.Key?, at place: QueuePlace, in queue: ExactText) {
        // Taken out and put back, so that it is not copied.
        var places = backlogByQueue.set(OrderedMap(), for: queue) ?? OrderedMap()
        places.set(key, for: place)
        backlogByQueue.set(places.isEmpty ? nil : places, for: queue)
    }

    private mutating func setJournal(_ row: JournalRow?, _ id: RunID, _ sequence: Int64) -> JournalRow? {
        let old = journal[id, default: []].set(row) { ($0.sequence >= sequence, $0.sequence == sequence) }
        if row == nil, journal[id]?.isEmpty ?? false { journal[id] = nil }
        return old
    }

    private mutating func setHeartbeat(_ row: HeartbeatRow?, _ id: RunID, _ event: Int64) -> HeartbeatRow? {
        let old = heartbeats[id, default: []].set(row) { ($0.scheduledEventID >= event, $0.scheduledEventID == event) }
        if row == nil, heartbeats[id]?.isEmpty ?? false { heartbeats[id] = nil }
        return old
    }

    private mutating func setInbox(_ entry: InboxEntry?, _ key: LookUp) -> InboxEntry? {
        let old = inbox[key]
        inbox[key] = entry
        if let old { inboxByTime.set(nil, for: TimePlace(at: old.row.receivedAt, number: old.number)) }
        if let entry {
            inboxByTime.set(entry.row, for: TimePlace(at: entry.row.receivedAt, number: entry.number))
        }
        return old
    }
}

extension Array where Element: Comparable {
    fileprivate mutating func insertInOrder(_ element: Element) { insert(element, at: firstPlace { $0 >= element }) }
}

extension Array {
    /// Stores an element in its place, or removes the one there for nil. Returns the element before.
    fileprivate mutating func set(_ element: Element?, _ compare: (Element) -> (isBehind: Bool, isSame: Bool))
        -> Element?
    {
        let place = firstPlace { compare($0).isBehind }
        if place < count, compare(self[place]).isSame {
            guard let element else { return remove(at: place) }
            let old = self[place]
            self[place] = element
            return old
        }
        if let element { insert(element, at: place) }
        return nil
    }
}
