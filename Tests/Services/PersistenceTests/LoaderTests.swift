import Foundation
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

extension PersistenceTests {
    /// What loaders read and delete.
    @Suite struct Loading {
        @Test func lookupsFindTheNewestRunAndKnownCommands() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            let older = Storage.run(1, at: Storage.noon, closedAt: Storage.noon, workflowID: "one")
            let newer = Storage.run(2, at: Storage.noon + .seconds(1), workflowID: "one")
            batch.newRuns = [newer, older]
            batch.inbox = [Storage.inbox(7, "known")]
            try storage.lane.commit(batch, fence: fence)
            let one = WorkflowKey(namespace: 1, workflowID: "one")
            let answers = try storage.loader.lookUp([
                LookUp(key: one, commandID: ""), LookUp(key: Storage.key(7), commandID: "known"),
                LookUp(key: WorkflowKey(namespace: 2, workflowID: "one"), commandID: "known"),
                LookUp(key: one, commandID: "known"), LookUp(key: Storage.key(7), commandID: ""),
            ])
            #expect(answers.map(\.run) == [newer, nil, nil, newer, nil])
            #expect(answers.map(\.isKnownCommand) == [false, true, false, false, false])
        }

        @Test func activeAndParkedRunsAreReadInPages() throws {
            let storage = try Storage(shards: 2)
            let fence = try storage.take()
            // Ten runs of the first shard, and one of the other.
            let table = SliceTable.even(over: 2)
            func ids(of shard: Int32) -> [String] {
                (0..<99).map { "run \($0)" }
                    .filter { table.shard(of: WorkflowKey(namespace: 1, workflowID: $0)) == shard }
            }
            let names = ids(of: 0)
            func run(_ number: Int) -> RunRow { Storage.run(number, workflowID: names[number]) }
            var batch = CommitBatch()
            batch.newRuns = (0..<10).map(run) + [Storage.run(10, workflowID: ids(of: 1)[0])]
            batch.alarms = (0..<10).map { number in
                // Three parked until the same instant, three until others, and four active.
                let at: Instant? = number < 6 ? Instant(nanoseconds: number < 3 ? 5 : Int64(number)) : nil
                return Storage.alarm(number, .insert(AlarmValue(at: at)))
            }
            batch.alarms.append(Storage.alarm(10, .insert(.active)))
            try storage.lane.commit(batch, fence: fence)
            var active: [RunRow] = []
            while case let page = try storage.loader.activeRuns(shard: 0, after: active.last?.runID, limit: 3),
                !page.isEmpty
            { active += page }
            #expect(active == (6..<10).map(run))
            #expect(try storage.loader.activeRuns(shard: 1, after: nil, limit: 9).map(\.runID) == [Storage.runID(10)])

            var parked: [(RunRow, Instant)] = []
            let before = Instant(nanoseconds: 6)
            while true {
                let last = parked.last.map { ($0.1, $0.0.runID) }
                let page = try storage.loader.parkedRuns(shard: 0, before: before, after: last, limit: 2)
                if page.isEmpty { break }
                parked += page
            }
            #expect(parked.map(\.0) == [3, 4, 0, 1, 2, 5].map(run))
            #expect(try storage.loader.parkedRuns(shard: 1, before: .distantFuture, after: nil, limit: 9).isEmpty)
        }

        @Test func theLongestWaitingTaskIsReadFirst() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = (0..<4).map { Storage.run($0) }
            batch.backlog = (0..<4).map { number in
                let key = BacklogRow.Key(runID: Storage.runID(number), task: 0)
                let since = Instant(nanoseconds: Int64(9 - number))
                let queue = number == 3 ? "b" : "a"
                return .store(
                    BacklogRow(key: key, queue: queue, since: since, priority: 3, place: since.nanoseconds)
                )
            }
            try storage.lane.commit(batch, fence: fence)
            let first = try storage.loader.waitingTasks(shard: 0, queue: "a", limit: 2)
            #expect(first.map(\.run) == [Storage.run(2), Storage.run(1)])
            #expect(first.map(\.row.since) == [Instant(nanoseconds: 7), Instant(nanoseconds: 8)])
            #expect(try storage.loader.waitingQueues(shard: 0).sorted() == ["a", "b"])
        }

        @Test func aHistoryIsReadFromTheRowThatHoldsAnEvent() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = [Storage.run(1, workflowID: "one")]
            let workflow = batch.newRuns[0].key
            batch.journal = [
                Storage.journal(1, 1, first: 1, events: Array(repeating: 1, count: 100)),
                Storage.journal(1, 2, first: 3, events: [], facts: [1]),
                Storage.journal(1, 3, first: 3, events: Array(repeating: 3, count: 100)),
                Storage.journal(1, 6, first: 7, events: Array(repeating: 6, count: 100)),
                Storage.journal(2, 1, first: 1, events: [9]),
            ]
            try storage.lane.commit(batch, fence: fence)
            func sequences(from event: Int64, bytes: Int) throws -> [Int64] {
                try storage.loader.readHistory(Storage.runID(1), of: workflow, from: event, byteLimit: bytes)
                    .map(\.sequence)
            }
            let stranger = WorkflowKey(namespace: workflow.namespace + 1, workflowID: workflow.workflowID)
            let strange = try storage.loader.readHistory(Storage.runID(1), of: stranger, from: 1, byteLimit: 1_000)
            #expect(strange.isEmpty)
            // Rows without events are skipped.
            #expect(try sequences(from: 1, bytes: 1_000) == [1, 3, 6])
            #expect(try sequences(from: 2, bytes: 1_000) == [1, 3, 6])
            #expect(try sequences(from: 3, bytes: 1_000) == [3, 6])
            #expect(try sequences(from: 6, bytes: 1_000) == [3, 6])
            #expect(try sequences(from: 7, bytes: 1_000) == [6])
            #expect(try sequences(from: 99, bytes: 1_000) == [6])
            // The first row is returned whatever its size.
            #expect(try sequences(from: 1, bytes: 1) == [1])
            #expect(try sequences(from: 3, bytes: 150) == [3, 6])
        }

        @Test func journalsAreReadInPagesOfBoundedSize() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.journal = [1, 2, 4].flatMap { run in
                (1...3).map { row in
                    let bytes = Array(repeating: UInt8(row), count: 100)
                    return Storage.journal(run, Int64(row), first: 1, events: bytes, facts: [7])
                }
            }
            try storage.lane.commit(batch, fence: fence)
            let runs = [1, 2, 3, 4].map { Storage.runID($0) }
            var position = JournalPosition(runID: runs[0], sequence: 0)
            var pages: [Int] = []
            var rows: [JournalRow] = []
            while true {
                let page = try storage.loader.loadJournals(runs, after: position, byteLimit: 250)
                pages.append(page.rows.count)
                rows += page.rows
                if page.isLast { break }
                let last = try #require(page.rows.last)
                position = JournalPosition(runID: last.runID, sequence: last.sequence)
            }
            #expect(pages == [3, 3, 3, 0])
            #expect(rows == batch.journal)
            // A row larger than a page is still returned.
            let first = JournalPosition(runID: runs[0], sequence: 0)
            #expect(try storage.loader.loadJournals(runs, after: first, byteLimit: 1).rows == [batch.journal[0]])
        }

        @Test func factsAndSnapshotsAreSearchedForBytes() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.journal = [Storage.journal(1, 1, first: 1, events: [1, 2, 3], facts: [4, 5, 6])]
            try storage.lane.commit(batch, fence: fence)
            let run = Storage.runID(1)
            #expect(try storage.loader.journalContains([4, 5], of: run))
            #expect(try !storage.loader.journalContains([5, 4], of: run))
            #expect(try !storage.loader.journalContains([2, 3], of: run))
            #expect(try !storage.loader.journalContains([4, 5], of: Storage.runID(2)))
            #expect(try storage.loader.historyContains([2, 3], of: run))
            #expect(try !storage.loader.historyContains([4, 5], of: run))
            batch.snapshots = [Storage.snapshot(1, 1, state: [7, 8, 9])]
            batch.journal = []
            try storage.lane.commit(batch, fence: fence)
            #expect(try storage.loader.journalContains([8, 9], of: run))
        }

        @Test func expiredRunsAreDeletedInSteps() throws {
            let storage = try Storage()
            let fence = try storage.take()
            // One namespace keeps runs for a day, the other for ten days.
            try storage.session.execute(
                """
                insert into sagamore.namespaces (id, name, description, owner_email, retention, data_keys, data_values)
                    values (gen_random_uuid(), 'short', '', '', 86400000000000, '{}', '{}'),
                        (gen_random_uuid(), 'long', '', '', 864000000000000, '{}', '{}')
                """
            )
            let day = Interval.seconds(86_400)
            let old = Storage.noon
            var batch = CommitBatch()
            batch.newRuns = (0..<7).map { Storage.run($0, at: old, closedAt: old) }
            batch.newRuns.append(Storage.run(7, at: old, closedAt: old + day))
            batch.newRuns.append(Storage.run(8, at: old))
            // A closed run with a debt.
            batch.newRuns.append(Storage.run(9, at: old, closedAt: old))
            batch.alarms = [Storage.alarm(9, .insert(.active, isOpen: false))]
            batch.journal = (0..<9).map { Storage.journal($0, 1, first: 1, events: [1]) }
            batch.snapshots = [0, 7].map { Storage.snapshot($0, 1, state: [1]) }
            batch.inbox = (0..<5).map { Storage.inbox($0, "old", at: old) } + [Storage.inbox(9, "young", at: old + day)]
            batch.heartbeats = [
                HeartbeatRow(runID: Storage.runID(0), scheduledEventID: 1, attempt: 1, details: [], recordedAt: old)
            ]
            try storage.lane.commit(batch, fence: fence)
            try storage.session.execute("update sagamore.runs set namespace = 2 where workflow_id = 'run 6'")
            let now = old + day + .seconds(3_600)
            let retentions = try storage.loader.retentions()
            #expect(Set(retentions.values) == [day, .seconds(864_000)])
            func delete(_ namespace: Int32, after: RunID) throws -> RunID? {
                let retention = try #require(retentions[namespace])
                let end = now + Interval(nanoseconds: -retention.nanoseconds)
                return try storage.loader.deleteRuns(
                    shard: 0,
                    of: [namespace],
                    closedBefore: end,
                    after: after,
                    before: RunID(at: end, random: (0, 0)),
                    limit: 2
                )
            }
            // Six runs, two in a step.
            var last = RunID(high: 0, low: 0)
            for number in [1, 3, 5] {
                last = try #require(try delete(1, after: last))
                #expect(last == Storage.runID(number))
            }
            #expect(try delete(1, after: last) == nil)
            #expect(try delete(2, after: RunID(high: 0, low: 0)) == nil)
            let traces = try (0..<3).map { _ in try storage.loader.deleteTraces(before: old + .seconds(1), limit: 3) }
            #expect(traces == [3, 2, 0])
            let left = [6, 7, 8, 9].map { Storage.runID($0) }
            #expect(Set(try storage.loader.loadRuns((0..<10).map { Storage.runID($0) }).keys) == Set(left))
            #expect(try storage.number("select count(*) from sagamore.journal") == 3)
            #expect(try storage.loader.heartbeats([Storage.runID(0)]).isEmpty)
            #expect(try storage.number("select count(*) from sagamore.snapshots") == 1)
            #expect(try storage.number("select count(*) from sagamore.inbox") == 1)
        }
    }
}
