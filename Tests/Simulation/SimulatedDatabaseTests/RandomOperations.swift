import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import SagamoreSimulatedTime

/// Operations by chance, from small sets of keys, so that many meet a row that is there already, or is not.
struct RandomOperations {
    /// What is done, and what the database answers.
    struct Step {
        let name: String
        let run: (any DatabaseUnderTest) throws -> String
    }

    private var random: SeededRandom
    /// As the shards' rows have them if the operations went as meant.
    private var epochs: [Int32: Int64] = [:]
    private var outboxes: [Int32: Int64] = [:]
    private var sliceVersion: Int64 = 1
    private var sequences: [Int: Int64] = [:]
    private var snapshots: [Int: Int64] = [:]
    /// The runs of the journal's rows, newest last.
    private var written = [1]
    /// Raised with each use: rows of one time have no order that PostgreSQL promises.
    private var time: Int64 = 1
    private var nextRun = 1

    private static let processes = ["process", "another", "third"]
    private static let topics = ["events", "replies", "other"]
    private static let queues = ["travel", "hotel", "h\u{f4}tel", "ho\u{302}tel"]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func next() -> Step {
        switch random.below(100) {
        case 0..<45: commit()
        case 45..<60: ownership()
        case 60..<80: load()
        case 80..<97: publish()
        default: administer()
        }
    }

    private mutating func tick() -> Instant {
        time += 1
        return Instant(nanoseconds: time)
    }

    /// Mostly a run that began lately.
    private mutating func someRun() -> Int { max(1, nextRun - random.below(random.happens(0.2) ? nextRun + 1 : 12)) }

    private mutating func runIDs() -> [RunID] { (0..<random.below(8)).map { _ in Sample.runID(someRun()) } }

    private mutating func shard() -> Int32 { Int32(random.below(random.happens(0.1) ? 5 : 3)) }

    /// Few workflows, so that their runs follow each other.
    private func workflow(of run: Int) -> WorkflowKey {
        WorkflowKey(namespace: Int32(run % 2 + 1), workflowID: (run % 7 == 0 ? "e\u{301}" : "run ") + "\(run % 23)")
    }

    private mutating func bytes(_ limit: Int) -> [UInt8] {
        (0..<random.below(limit + 1)).map { _ in UInt8(random.below(4)) }
    }
}

// MARK: - Lanes

extension RandomOperations {
    private mutating func commit() -> Step {
        let shard = shard()
        let epoch = (epochs[shard] ?? 0) - (random.happens(0.05) ? 1 : 0)
        let sequence = (outboxes[shard] ?? 0) - (random.happens(0.03) ? 1 : 0)
        let fence = ShardFence(shard: shard, epoch: epoch, outboxSequence: sequence)
        var batch = CommitBatch()
        for _ in 0..<random.within(1...5) { add(to: &batch) }
        // As if it was written. Where it is not, the next ones meet a gap or a row that is there.
        if epoch == epochs[shard] { outboxes[shard] = sequence + Int64(batch.outbox.count) }
        return Step(name: "commit \(batch) \(fence)") { database in
            try database.lane.commit(batch, fence: fence)
            return "done"
        }
    }

    private mutating func add(to batch: inout CommitBatch) {
        switch random.below(12) {
        case 0, 1, 2: start(&batch)
        case 3, 4, 5: journal(&batch)
        case 6: close(&batch)
        case 7: alarm(&batch)
        case 8: backlog(&batch)
        case 9:
            let id = random.happens(0.02) ? "nul \0" : "command \(random.below(40))"
            batch.inbox.append(Sample.inbox(random.below(4), id, at: tick()))
        case 10:
            let topic = Self.topics[random.below(3)]
            let headers = random.happens(0.5) ? [] : [OutboxRecord.Header(name: "n", value: bytes(3))]
            let key = random.happens(0.5) ? nil : bytes(3)
            let value = random.happens(0.2) ? nil : bytes(30)
            batch.outbox.append(OutboxRecord(topic: topic, key: key, value: value, headers: headers))
        default:
            if random.happens(0.2) {
                // Most often there are other rows than these: the commit is refused.
                let rows = random.happens(0.5) ? 0 : Int64(random.below(3))
                batch.resets.append(
                    RunReset(
                        runID: Sample.runID(nextRun),
                        baseRunID: Sample.runID(someRun()),
                        throughSequence: rows == 0 ? -1 : Int64(random.below(4)),
                        rowCount: rows
                    )
                )
                sequences[nextRun] = 100
                nextRun += 1
            }
            if random.happens(0.3) {
                let number = someRun()
                batch.deletions.append(RunDeletion(runID: Sample.runID(number), key: workflow(of: number)))
            }
            if random.happens(0.2) { batch.endedHeartbeats.append(Sample.runID(someRun())) }
            let event = Int64(random.within(5...7))
            batch.heartbeats.append(
                Sample.heartbeat(someRun(), event, attempt: Int32(random.below(5)), details: bytes(9))
            )
        }
    }

    private mutating func start(_ batch: inout CommitBatch) {
        let number = random.happens(0.05) ? someRun() : nextRun
        if number == nextRun { nextRun += 1 }
        let key = workflow(of: number)
        let closedAt = random.happens(0.1) ? tick() : nil
        batch.newRuns.append(
            RunRow(
                runID: Sample.runID(number),
                key: key,
                workflowType: "type",
                taskQueue: Self.queues[random.below(4)],
                startRequestID: random.happens(0.01) ? "\0" : "start",
                status: closedAt == nil ? .running : .failed,
                startedAt: tick(),
                closedAt: closedAt,
                historyLength: 1,
                historyBytes: 2
            )
        )
        if random.happens(0.1) { batch.assumedNew.append(key) }
        guard random.happens(0.9) else { return }
        let at = random.happens(0.7) ? nil : Instant(nanoseconds: Int64(random.below(50)))
        // An older run of the workflow ends mostly, so that there is room for this one.
        if random.happens(0.9) {
            for older in max(1, number - 92)..<max(1, number) where workflow(of: older) == key {
                batch.alarms.append(Sample.alarm(older, random.happens(0.5) ? .remove : .close(.active)))
            }
        }
        let isOpen = random.happens(0.9)
        batch.alarms.append(Sample.alarm(number, .insert(AlarmValue(at: at), isOpen: isOpen)))
    }

    private mutating func journal(_ batch: inout CommitBatch) {
        let number = someRun()
        let sequence = (sequences[number] ?? 0) + Int64(random.below(20) == 0 ? 0 : random.within(1...2))
        sequences[number] = sequence
        written.append(number)
        let events = random.happens(0.4) ? [] : bytes(20)
        let facts = random.happens(0.1) ? [UInt8](repeating: 1, count: random.within(1_020...1_030)) : bytes(9)
        batch.journal.append(Sample.journal(number, sequence, first: 2 * sequence, events: events, facts: facts))
        guard random.happens(0.15) else { return }
        let previous = snapshots[number] ?? 0
        batch.snapshots.append(Sample.snapshot(number, sequence, after: previous, state: bytes(30)))
        snapshots[number] = sequence
    }

    private mutating func close(_ batch: inout CommitBatch) {
        let number = someRun()
        // An update of one row by two would be free to take either.
        guard !batch.closedRuns.contains(where: { $0.runID == Sample.runID(number) }) else { return }
        batch.closedRuns.append(Sample.closing(number, at: tick()))
        if random.happens(0.5) { batch.endedBacklogs.append(Sample.runID(number)) }
        let hasAlarm = batch.alarms.contains { $0.runID == Sample.runID(number) }
        if random.happens(0.8), !hasAlarm { batch.alarms.append(Sample.alarm(number, .remove)) }
    }

    private mutating func alarm(_ batch: inout CommitBatch) {
        let number = someRun()
        guard !batch.alarms.contains(where: { $0.runID == Sample.runID(number) }) else { return }
        let at = random.happens(0.3) ? nil : Instant(nanoseconds: Int64(random.below(50)))
        let value = AlarmValue(at: at)
        let change: AlarmChange.Change =
            switch random.below(20) {
            case 0: .insert(value)
            case 1, 2: .close(value)
            case 3: .remove
            default: .set(value)
            }
        batch.alarms.append(AlarmChange(runID: Sample.runID(number), change: change))
    }

    private mutating func backlog(_ batch: inout CommitBatch) {
        let queue = Self.queues[random.below(4)]
        let since = tick().nanoseconds
        let priority = Int8(random.within(1...5))
        let row = Sample.waiting(
            someRun(),
            Int64(random.below(3)),
            queue: queue,
            since: since,
            priority: priority,
            place: random.happens(0.5) ? since : 1_000_000 - since
        )
        batch.backlog.append(random.happens(0.7) ? .store(row) : .remove(row))
    }

    private mutating func ownership() -> Step {
        let shard = shard()
        let version = random.happens(0.9) ? sliceVersion : sliceVersion - 1
        let process = Self.processes[random.below(3)]
        let node = random.happens(0.7) ? "node" : "other"
        let owner = ShardOwner(node: node, process: process, sliceVersion: version)
        let epoch = (epochs[shard] ?? 0) - Int64(random.below(10) == 0 ? 1 : 0)
        let number = someRun()
        let sequence = max(0, (sequences[number] ?? 0) - Int64(random.below(3)))
        switch random.below(10) {
        case 0...2:
            return Step(name: "take \(shard) \(owner)") { "\(try $0.lane.takeShard(shard, as: owner) as Any)" }
        case 3: return Step(name: "standing") { "\(try $0.lane.standing(of: shard) as Any)" }
        case 4:
            return Step(name: "retake \(shard) \(owner) \(epoch)") {
                "\(try $0.lane.retakeShard(shard, as: owner, epoch: epoch) as Any)"
            }
        case 5:
            return Step(name: "renew \(shard) \(owner) \(epoch)") {
                "\(try $0.lane.renewLease(shard, as: owner, epoch: epoch))"
            }
        case 6:
            let isRare = random.happens(0.5)
            return Step(name: "release \(shard) \(epoch)") {
                if isRare { try $0.lane.releaseShard(shard, epoch: epoch) }
                return "\(try $0.lane.epoch(of: shard))"
            }
        case 7, 8:
            return Step(name: "row") { "\(try $0.lane.isCommitted(runID: Sample.runID(number), sequence: sequence))" }
        default:
            let row = Sample.inbox(random.below(4), "command \(random.below(40))")
            return Step(name: "command \(row)") { "\(try $0.lane.isCommitted(row))" }
        }
    }

    /// What the shards' rows are now, by the database that is right.
    mutating func learn(_ database: any DatabaseUnderTest) throws {
        sliceVersion = try database.lane.standing(of: 0)?.sliceVersion ?? 1
        for shard in Int32(0)..<5 {
            epochs[shard] = try database.lane.epoch(of: shard)
            outboxes[shard] = try database.outbox.standing(of: shard).outboxSequence
        }
    }
}

// MARK: - Loaders, publishers, administrators

extension RandomOperations {
    private mutating func load() -> Step {
        let shard = shard()
        let limit = random.within(1...9)
        let at = Instant(nanoseconds: Int64(random.below(50)))
        let number = random.pick(written.suffix(30)) ?? 1
        let (id, key) = (Sample.runID(number), workflow(of: number))
        let ids = runIDs()
        let byteLimit = random.below(4) == 0 ? Int.max : random.below(80)
        switch random.below(12) {
        case 0, 1:
            let questions = (0..<limit).map { _ in
                LookUp(
                    key: random.happens(0.7) ? workflow(of: someRun()) : Sample.key(random.below(4)),
                    commandID: random.happens(0.3) ? "" : "command \(random.below(40))"
                )
            }
            return Step(name: "look up \(questions)") { "\(try $0.loader.lookUp(questions))" }
        case 2, 3:
            let position = JournalPosition(runID: random.happens(0.5) ? Sample.none : id, sequence: Int64(limit))
            return Step(name: "journals \(ids) \(position) \(byteLimit)") {
                "\(try $0.loader.loadJournals(ids, after: position, byteLimit: byteLimit))"
            }
        case 4:
            let needle = bytes(4)
            return Step(name: "contains") {
                "\(try $0.loader.journalContains(needle, of: id)) \(try $0.loader.historyContains(needle, of: id))"
            }
        case 5:
            let position = HeartbeatPosition(runID: random.happens(0.5) ? Sample.none : id, scheduledEventID: 5)
            return Step(name: "heartbeats \(ids) \(position) \(byteLimit)") {
                "\(try $0.loader.loadHeartbeats(ids, after: position, byteLimit: byteLimit))"
            }
        case 6:
            return Step(name: "runs") {
                let reset = try $0.loader.resetRun(of: id)
                return try "\(reset as Any) \($0.loader.loadRuns(ids).sorted { $0.key < $1.key })"
            }
        case 7:
            let after = random.happens(0.5) ? nil : id
            return Step(name: "active \(shard) \(limit)") {
                "\(try $0.loader.activeRuns(shard: shard, after: after, limit: limit))"
            }
        case 8:
            let after = random.happens(0.5) ? nil : (Instant(nanoseconds: Int64(random.below(50))), id)
            return Step(name: "parked \(shard) \(at) \(limit)") {
                "\(try $0.loader.parkedRuns(shard: shard, before: at, after: after, limit: limit))"
            }
        case 9:
            let queue = Self.queues[random.below(4)]
            return Step(name: "waiting \(shard) \(queue) \(limit)") {
                let queues = try $0.loader.waitingQueues(shard: shard).map { Array($0.utf8).description }.sorted()
                return "\(queues) \(try $0.loader.waitingTasks(shard: shard, queue: queue, limit: limit))"
            }
        case 10:
            let event = Int64(random.below(2 * Int(sequences[number] ?? 0) + 3))
            return Step(name: "history \(id) \(key) \(event) \(byteLimit)") {
                let back = try $0.loader.readHistory(id, of: key, backFrom: event, byteLimit: byteLimit)
                return "\(try $0.loader.readHistory(id, of: key, from: event, byteLimit: byteLimit)) \(back)"
            }
        default: return retention(shard, limit)
        }
    }

    private mutating func retention(_ shard: Int32, _ limit: Int) -> Step {
        let before = Instant(nanoseconds: random.happens(0.5) ? time : time / 2)
        if random.happens(0.2) {
            return Step(name: "traces \(before)") { "\(try $0.loader.deleteTraces(before: before, limit: limit))" }
        }
        if random.happens(0.3) {
            let most = ErasureLimit(runs: limit, rows: random.within(1...4), bytes: random.within(1...40))
            return Step(name: "erase \(shard) \(most)") {
                "\(try $0.loader.eraseDeletedRuns(shard: shard, limit: most))"
            }
        }
        let (some, other) = (Sample.runID(someRun()), Sample.runID(someRun()))
        let (first, last) = (min(some, other), max(some, other))
        let namespaces: [Int32] = random.happens(0.5) ? [1, 2] : [2]
        return Step(name: "delete runs of \(shard) \(namespaces) closed before \(before) in \(first) \(last)") {
            let deleted = try $0.loader.deleteRuns(
                shard: shard,
                of: namespaces,
                closedBefore: before,
                after: first,
                before: last,
                limit: limit
            )
            return "\(deleted as Any)"
        }
    }

    private mutating func publish() -> Step {
        let shard = shard()
        let topic = Self.topics[random.below(3)]
        let limit = random.within(1...9)
        let after = Int64(random.below(Int(outboxes[shard] ?? 0) + 1))
        let values = [topic: after].merging([Self.topics[0]: after / 2]) { first, _ in first }
        switch random.below(10) {
        case 0: return Step(name: "publisher's standing") { "\(try $0.outbox.standing(of: shard))" }
        case 1...3:
            let topics: OutboxQuery.Topics = random.happens(0.5) ? .only(topic) : .allBut([topic])
            let bytes = random.below(100)
            let query = OutboxQuery(shard: shard, topics: topics, after: after, rowLimit: limit, byteLimit: bytes)
            return Step(name: "read \(query)") { "\(try $0.outbox.read(query))" }
        case 4, 5:
            return Step(name: "waits of \(shard)") { "\(try $0.outbox.waits(of: shard).sorted { $0.key < $1.key })" }
        case 6:
            return Step(name: "positions") { "\(try $0.outbox.positions(of: shard).sorted { $0.key < $1.key })" }
        case 7:
            return Step(name: "record") {
                try $0.outbox.record(values, of: shard)
                return ""
            }
        case 8:
            let range = OutboxRange(shard: shard, topic: topic, after: after / 2, through: after)
            return Step(name: "delete \(range)") { "\(try $0.outbox.delete(range, limit: limit) as Any)" }
        default:
            let row = OutboxRow(sequence: after, record: Sample.record("dead", topic: topic))
            return Step(name: "dead event") {
                try $0.outbox.insertDeadEvent(row, shard: shard, error: "error \(limit)")
                return ""
            }
        }
    }

    private mutating func administer() -> Step {
        let count = random.within(1...4)
        switch random.below(4) {
        case 0, 1:
            return Step(name: "rebalance over \(count)") { "\(try $0.rebalance(shardCount: count))" }
        case 2:
            return Step(name: "time passes") {
                try $0.pass(seconds: 3_600)
                return ""
            }
        default:
            return Step(name: "retention") {
                try $0.setRetention(.seconds(Int64(count)), of: Int32(count))
                return "\(try $0.loader.retentions().sorted { $0.key < $1.key }) \(try $0.loader.sliceTable())"
            }
        }
    }
}
