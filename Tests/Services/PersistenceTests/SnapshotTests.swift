import SagamoreEngine
import SagamorePersistence
import Testing

extension PersistenceTests {
    /// Snapshots, and the facts that they supersede.
    @Suite struct Snapshots {
        @Test func aLoadBeginsWithTheSnapshot() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.journal = [1, 2, 3].flatMap { run in
                (1...3).map { Storage.journal(run, Int64($0), first: Int64($0), events: [UInt8($0)], facts: [9]) }
            }
            batch.snapshots = [Storage.snapshot(1, 3, state: [1, 3]), Storage.snapshot(2, 2, state: [2, 2])]
            try storage.lane.commit(batch, fence: fence)
            let runs = [1, 2, 3].map { Storage.runID($0) }
            let expected: [JournalPart] = [
                .snapshot(Storage.snapshot(1, 3, state: [1, 3])), .snapshot(Storage.snapshot(2, 2, state: [2, 2])),
                .row(batch.journal[5]), .row(batch.journal[6]), .row(batch.journal[7]), .row(batch.journal[8]),
            ]
            // The pages' size makes no difference.
            for byteLimit in [1, 3, 100] {
                var parts: [JournalPart] = []
                var position = JournalPosition(runID: runs[0], sequence: 0)
                while true {
                    let page = try storage.loader.loadJournals(runs, after: position, byteLimit: byteLimit)
                    parts += page.parts
                    if page.isLast { break }
                    let last = try #require(page.parts.last)
                    position = JournalPosition(runID: last.runID, sequence: last.sequence)
                }
                #expect(parts == expected)
            }
        }

        @Test func aSnapshotPrunesFactsAndKeepsEvents() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            let large = Array(repeating: UInt8(9), count: 2_000)
            batch.newRuns = [Storage.run(1, workflowID: "one")]
            batch.journal = [
                Storage.journal(1, 1, first: 1, events: [1], facts: [9]),
                Storage.journal(1, 2, first: 2, events: [], facts: [9]),
                Storage.journal(1, 3, first: 2, events: [2], facts: large),
                Storage.journal(2, 1, first: 1, events: [], facts: large),
            ]
            try storage.lane.commit(batch, fence: fence)
            batch = CommitBatch()
            // A row of the same batch, a row with the snapshot's sequence, and a row after it.
            batch.journal = [
                Storage.journal(1, 4, first: 3, events: [], facts: [9]),
                Storage.journal(1, 6, first: 3, events: [], facts: [9]),
                Storage.journal(1, 7, first: 3, events: [3], facts: large),
            ]
            batch.snapshots = [Storage.snapshot(1, 6, state: [6])]
            try storage.lane.commit(batch, fence: fence)
            let rows = """
                select sequence || ':' || length(events) || ':' || length(facts) from sagamore.journal
                order by run_id, sequence
                """
            #expect(try storage.texts(rows) == ["1:1:1", "3:1:0", "6:0:1", "7:1:2000", "1:0:2000"])
            // The last row of a batch shows that it was committed.
            #expect(try storage.lane.isCommitted(runID: Storage.runID(1), sequence: 7))
            #expect(try storage.lane.isCommitted(runID: Storage.runID(1), sequence: 6))
            let history = try storage.loader.readHistory(
                Storage.runID(1),
                of: WorkflowKey(namespace: 1, workflowID: "one"),
                from: 1,
                byteLimit: 1_000
            )
            #expect(history.map(\.events) == [[1], [2], [3]])
            #expect(history.map(\.facts) == [[], [], []])

            // The next snapshot prunes the facts that were left.
            batch.journal = [Storage.journal(1, 8, first: 4, events: [], facts: [9])]
            batch.snapshots = [Storage.snapshot(1, 8, after: 6, state: [8])]
            try storage.lane.commit(batch, fence: fence)
            #expect(try storage.texts(rows) == ["1:1:1", "3:1:0", "7:1:0", "8:0:1", "1:0:2000"])
            #expect(try storage.number("select count(*) from sagamore.snapshots where sequence = 8") == 1)
        }

        /// The shard may hold what an older process cannot read.
        @Test func aProgramBelowTheFormatLevelTakesNoShard() throws {
            let storage = try Storage()
            let taken = try #require(try storage.lane.takeShard(0, as: Storage.owner))
            #expect(taken.formatLevel == 5 && taken.allowsSnapshots)
            try storage.session.execute("update sagamore.installation set format_level = 999")
            do throws(CommitError) {
                _ = try storage.lane.takeShard(0, as: Storage.owner)
                #expect(Bool(false), "a shard was taken")
            } catch {
                guard case .permanent(let cause) = error else { return #expect(Bool(false), "\(error)") }
                #expect(cause.message.contains("this program is too old: the database has format level 999"))
            }
            // It may continue with a shard that nobody else has taken.
            #expect(try storage.lane.retakeShard(0, as: Storage.owner, epoch: taken.epoch) != nil)
        }

        @Test func migrationRaisesTheFormatLevel() throws {
            let storage = try Storage()
            try storage.session.execute("update sagamore.installation set format_level = 1")
            #expect(try #require(try storage.lane.takeShard(0, as: Storage.owner)).allowsSnapshots == false)
            _ = try Migrator.migrate(storage.session, shardCount: 1)
            #expect(try #require(try storage.lane.takeShard(0, as: Storage.owner)).allowsSnapshots)
        }

        @Test func heartbeatsAreReadInPagesOfBoundedSize() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.heartbeats = [1, 2, 4].flatMap { run in
                (1...3).map { activity in
                    HeartbeatRow(
                        runID: Storage.runID(run),
                        scheduledEventID: Int64(activity),
                        attempt: 1,
                        details: Array(repeating: UInt8(run), count: 100),
                        recordedAt: Storage.noon
                    )
                }
            }
            try storage.lane.commit(batch, fence: fence)
            let runs = [1, 2, 3, 4].map { Storage.runID($0) }
            var position = HeartbeatPosition.beginning
            var rows: [HeartbeatRow] = []
            var pages: [Int] = []
            while true {
                let page = try storage.loader.loadHeartbeats(runs, after: position, byteLimit: 150)
                rows += page.rows
                pages.append(page.rows.count)
                if page.isLast { break }
                let last = try #require(page.rows.last)
                position = HeartbeatPosition(runID: last.runID, scheduledEventID: last.scheduledEventID)
            }
            #expect(pages == [2, 2, 2, 2, 1])
            #expect(rows == batch.heartbeats)
        }
    }
}
