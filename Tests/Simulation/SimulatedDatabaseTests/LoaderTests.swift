import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

extension DatabaseContract {
    /// What loaders read and delete, in which order and how much at a time.
    @Suite struct Loading {
        @Test(arguments: DatabaseKind.allCases)
        func theNewestRunAndWhetherACommandIsKnown(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let batch = Sample.batch {
                $0.newRuns = [Sample.run(3, workflow: 1), Sample.run(1), Sample.run(2, workflow: 1)]
                $0.inbox = [Sample.inbox(1, "command")]
            }
            try database.lane.commit(batch, fence: fence)
            // The same text for a reader, other bytes.
            let composed = WorkflowKey(namespace: 1, workflowID: "\u{e9}")
            let decomposed = WorkflowKey(namespace: 1, workflowID: "e\u{301}")
            let accents = RunRow(
                runID: Sample.runID(9),
                key: composed,
                workflowType: "",
                taskQueue: "",
                startRequestID: "",
                status: .running,
                startedAt: .distantPast,
                closedAt: .distantFuture,
                historyLength: .max,
                historyBytes: .min
            )
            try database.lane.commit(Sample.batch { $0.newRuns = [accents] }, fence: fence)
            let answers = try database.loader.lookUp([
                LookUp(key: Sample.key(1), commandID: ""), LookUp(key: Sample.key(2), commandID: "command"),
                LookUp(key: Sample.key(1), commandID: "command"), LookUp(key: decomposed, commandID: "x"),
                LookUp(key: composed, commandID: "x"),
            ])
            #expect(answers.map(\.isKnownCommand) == [false, false, true, false, false])
            #expect(answers.map(\.run) == [batch.newRuns[0], nil, batch.newRuns[0], nil, accents])
            let runs = try database.loader.loadRuns([Sample.runID(1), Sample.runID(1), Sample.runID(8)])
            #expect(runs == [Sample.runID(1): batch.newRuns[1]])
        }

        @Test(arguments: DatabaseKind.allCases)
        func whetherTheNewestRunHasLeftMemory(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let at = Instant(nanoseconds: 7)
            let batch = Sample.batch {
                $0.newRuns = [Sample.run(1), Sample.run(2), Sample.run(3)]
                $0.alarms = [Sample.alarm(1, .insert(AlarmValue(at: at))), Sample.alarm(2, .insert(.active))]
            }
            try database.lane.commit(batch, fence: fence)
            let answers = try database.loader.lookUp((1...4).map { LookUp(key: Sample.key($0), commandID: "") })
            #expect(answers.map(\.alarm) == [at, nil, nil, nil])
        }

        @Test(arguments: DatabaseKind.allCases)
        func activeAndParkedRunsInPages(_ kind: DatabaseKind) throws {
            let database = try kind.make(shards: 2)
            let taken = try #require(try database.lane.takeShard(0, as: Sample.owner))
            let fence = ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: 0)
            var batch = CommitBatch()
            for number in (1...40).shuffled() {
                batch.newRuns.append(Sample.run(number))
                let at: Instant? = number % 2 == 0 ? nil : Instant(nanoseconds: Int64(number % 8))
                batch.alarms.append(Sample.alarm(number, .insert(AlarmValue(at: at))))
            }
            try database.lane.commit(batch, fence: fence)
            // An alarm without a run is not found.
            let table = try database.loader.sliceTable()
            for shard in [Int32(0), 1] {
                let mine = (1...40).filter { table.shard(of: Sample.key($0)) == shard }
                var active: [RunID] = []
                while true {
                    let page = try database.loader.activeRuns(shard: shard, after: active.last, limit: 3)
                    active += page.map(\.runID)
                    if page.count < 3 { break }
                }
                #expect(active == mine.filter { $0 % 2 == 0 }.map(Sample.runID))
                var parked: [(Instant, RunID)] = []
                while true {
                    let page = try database.loader.parkedRuns(
                        shard: shard,
                        before: Instant(nanoseconds: 7),
                        after: parked.last,
                        limit: 3
                    )
                    parked += page.map { ($0.1, $0.0.runID) }
                    if page.count < 3 { break }
                }
                let due = mine.filter { $0 % 2 == 1 && $0 % 8 < 7 }.sorted { ($0 % 8, $0) < ($1 % 8, $1) }
                #expect(parked.map(\.1) == due.map(Sample.runID))
            }
        }

        @Test(arguments: DatabaseKind.allCases)
        func tasksThatWaitForRoom(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            var batch = Sample.starts(1, 2, 3)
            batch.backlog = [
                .store(Sample.waiting(1, 0, queue: "a", since: 5)), .store(Sample.waiting(2, 0, queue: "a", since: 3)),
                .store(Sample.waiting(2, 7, queue: "b", since: 4)), .store(Sample.waiting(3, 0, queue: "a", since: 1)),
                // Without a run, none is written.
                .store(Sample.waiting(4, 0, queue: "c", since: 1)),
            ]
            try database.lane.commit(batch, fence: fence)
            func waiting(_ queue: String, limit: Int = 9) throws -> [BacklogRow] {
                try database.loader.waitingTasks(shard: 0, queue: queue, limit: limit).map(\.row)
            }
            #expect(try database.loader.waitingQueues(shard: 0).sorted() == ["a", "b"])
            #expect(try waiting("a").map(\.since.nanoseconds) == [1, 3, 5])
            #expect(try waiting("a", limit: 2).map(\.since.nanoseconds) == [1, 3])
            // By priority, then by place; when a task became due does not matter.
            let ordered = Sample.batch {
                $0.backlog = [
                    .store(Sample.waiting(1, 21, queue: "order", since: 1, priority: 5, place: 1)),
                    .store(Sample.waiting(1, 22, queue: "order", since: 2, priority: 1, place: 9)),
                    .store(Sample.waiting(2, 23, queue: "order", since: 3, priority: 1, place: -4)),
                    .store(Sample.waiting(2, 24, queue: "order", since: 4, priority: 3, place: 2)),
                ]
            }
            try database.lane.commit(ordered, fence: fence)
            #expect(try waiting("order").map(\.key.task) == [23, 22, 24, 21])
            #expect(try waiting("order").first == ordered.backlog[2].row)
            let done = Sample.batch { $0.backlog = ordered.backlog.map { .remove($0.row) } }
            try database.lane.commit(done, fence: fence)
            let second = Sample.batch {
                $0.closedRuns = [Sample.closing(3)]
                $0.backlog = [
                    .store(Sample.waiting(2, 0, queue: "b", since: 9)),
                    // Of another queue: it stays.
                    .remove(Sample.waiting(1, 0, queue: "b", since: 5)),
                ]
            }
            try database.lane.commit(second, fence: fence)
            #expect(try waiting("a") == [Sample.waiting(1, 0, queue: "a", since: 5)], "a closed run offers no task")
            #expect(try waiting("b").map(\.key.task) == [7, 0])
            let third = Sample.batch {
                $0.endedBacklogs = [Sample.runID(3), Sample.runID(2)]
                $0.backlog = [
                    .remove(Sample.waiting(1, 0, queue: "a", since: 0)),
                    .store(Sample.waiting(2, 3, queue: "d", since: 1)),
                ]
            }
            try database.lane.commit(third, fence: fence)
            #expect(try database.loader.waitingQueues(shard: 0) == ["d"])
            #expect(try database.rows().filter { $0.hasPrefix("backlog") }.count == 1)
        }

        @Test(arguments: DatabaseKind.allCases)
        func retentionDeletesWhatOwesNothing(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            var batch = Sample.starts(1, 2, 3, 4, 5)
            batch.heartbeats = [Sample.heartbeat(1, 5, details: [1]), Sample.heartbeat(5, 5, details: [1])]
            batch.snapshots = [Sample.snapshot(1, 1, state: [1]), Sample.snapshot(5, 1, state: [1])]
            batch.inbox = (1...5).map { Sample.inbox($0, "command", at: Instant(nanoseconds: Int64($0))) }
            try database.lane.commit(batch, fence: fence)
            let end = Sample.batch {
                $0.closedRuns = (1...4).map { Sample.closing($0, at: Instant(nanoseconds: Int64($0))) }
                // The second one owes something.
                $0.alarms = [1, 3, 4].map { Sample.alarm($0, .remove) } + [Sample.alarm(2, .close(.active))]
            }
            try database.lane.commit(end, fence: fence)
            func delete(_ limit: Int, of namespaces: [Int32] = [1, 2], before instant: Int64 = 9) throws -> RunID? {
                try database.loader.deleteRuns(
                    shard: 0,
                    of: namespaces,
                    closedBefore: Instant(nanoseconds: instant),
                    after: Sample.none,
                    before: Sample.runID(4),
                    limit: limit
                )
            }
            #expect(try delete(1, of: [2]) == nil)
            #expect(try delete(1, before: 1) == nil)
            #expect(try delete(1) == Sample.runID(1))
            #expect(try delete(2) == nil)
            let rows = try database.rows().filter { !$0.hasPrefix("inbox") }.map { $0.prefix { $0 != "|" } }
            let ids = rows.filter { $0.hasPrefix("runs") || $0.hasPrefix("journal") }
            #expect(
                ids == [2, 4, 5].map { "runs: \(Sample.runID($0))" } + [2, 4, 5].map { "journal: \(Sample.runID($0))" }
            )
            #expect(rows.filter { $0.hasPrefix("heartbeats") || $0.hasPrefix("snapshots") }.count == 2)
            #expect(try database.loader.deleteTraces(before: Instant(nanoseconds: 4), limit: 2) == 2)
            #expect(try database.loader.deleteTraces(before: Instant(nanoseconds: 4), limit: 2) == 1)
            #expect(try database.loader.deleteTraces(before: Instant(nanoseconds: 4), limit: 2) == 0)
            try database.setRetention(.seconds(7), of: 3)
            try database.setRetention(.seconds(9), of: 3)
            #expect(try database.loader.retentions() == [3: .seconds(9)])
        }
    }
}
