import SagamoreEngine
import SagamorePersistence
import Testing

extension DatabaseContract {
    /// Deletions, and how what is stored of deleted runs is erased.
    @Suite struct Deletions {
        private static func deletion(_ number: Int) -> RunDeletion {
            RunDeletion(runID: Sample.runID(number), key: Sample.key(number))
        }

        /// Three runs with journals of four rows. The first two are closed and deleted; the second one owes something.
        private static func write(_ database: any DatabaseUnderTest) throws {
            let fence = try database.take()
            var batch = Sample.starts(1, 2, 3)
            batch.journal = (1...3).flatMap { number in
                (Int64(1)...4).map { Sample.journal(number, $0, first: $0, events: [1, 2, 3, 4, 5], facts: [6]) }
            }
            batch.heartbeats = [Sample.heartbeat(1, 5, details: [1]), Sample.heartbeat(3, 5, details: [1])]
            batch.snapshots = [Sample.snapshot(1, 1, state: [1]), Sample.snapshot(3, 1, state: [1])]
            try database.lane.commit(batch, fence: fence)
            let end = Sample.batch {
                $0.closedRuns = [Sample.closing(1), Sample.closing(2)]
                $0.alarms = [Sample.alarm(1, .remove), Sample.alarm(2, .close(.active))]
                $0.deletions = [Self.deletion(1), Self.deletion(2)]
            }
            try database.lane.commit(end, fence: fence)
            // A batch whose outcome was unknown is written again.
            let again = Sample.batch { $0.deletions = [Self.deletion(1)] }
            try database.lane.commit(again, fence: fence)
        }

        @Test(arguments: DatabaseKind.allCases)
        func rowsStayWithoutAStatus(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try Self.write(database)
            let answers = try database.loader.lookUp((1...3).map { LookUp(key: Sample.key($0), commandID: "") })
            #expect(answers.map { $0.run?.isDeleted } == [true, true, false])
            let runs = try database.loader.loadRuns((1...3).map(Sample.runID))
            #expect((1...3).map { runs[Sample.runID($0)]?.isDeleted } == [true, true, false])
            // Recovery still finds what owes something.
            let active = try database.loader.activeRuns(shard: 0, after: nil, limit: 9)
            #expect(active.map(\.runID) == [2, 3].map(Sample.runID))
            for number in 1...3 {
                let (id, key) = (Sample.runID(number), Sample.key(number))
                let forward = try database.loader.readHistory(id, of: key, from: 1, byteLimit: 99)
                let back = try database.loader.readHistory(id, of: key, backFrom: 9, byteLimit: 99)
                #expect(forward.isEmpty == (number < 3) && back.isEmpty == (number < 3))
            }
        }

        @Test(arguments: DatabaseKind.allCases)
        func journalsAreErasedInBoundedSteps(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try Self.write(database)
            func erase(rows: Int = 99, bytes: Int = 999) throws -> Bool {
                try database.loader.eraseDeletedRuns(
                    shard: 0,
                    limit: ErasureLimit(runs: 9, rows: rows, bytes: bytes)
                )
            }
            func left(_ table: String, of number: Int) throws -> Int {
                try database.rows().count { $0.hasPrefix("\(table): \(Sample.runID(number))") }
            }
            #expect(try erase(rows: 1))
            #expect(try left("journal", of: 1) == 3 && left("snapshots", of: 1) == 1)
            #expect(try erase(bytes: 7))
            #expect(try left("journal", of: 1) == 1 && left("deletions", of: 1) == 1)
            #expect(try !erase(rows: 1))
            for table in ["journal", "snapshots", "heartbeats", "deletions"] { #expect(try left(table, of: 1) == 0) }
            #expect(try left("runs", of: 1) == 1)
            // Not yet the one that owes something, nor one that was not deleted.
            #expect(try !erase())
            #expect(try left("journal", of: 2) == 4 && left("deletions", of: 2) == 1 && left("journal", of: 3) == 4)
            let settled = Sample.batch { $0.alarms = [Sample.alarm(2, .remove)] }
            try database.lane.commit(settled, fence: ShardFence(shard: 0, epoch: 1, outboxSequence: 0))
            #expect(try !erase())
            #expect(try left("journal", of: 2) == 0 && left("deletions", of: 2) == 0 && left("heartbeats", of: 3) == 1)
        }
    }
}
