import SagamoreEngine
import SagamorePersistence
import Testing

extension DatabaseContract {
    /// Runs that begin with the history of another one.
    @Suite struct Resets {
        /// A run with a journal of five rows, of which the third has no events.
        private static func write(_ database: any DatabaseUnderTest) throws -> ShardFence {
            let fence = try database.take()
            var batch = Sample.starts(1)
            batch.journal = (Int64(1)...5).map { sequence in
                let events = sequence == 3 ? [] : [UInt8(sequence), 2, 3]
                return Sample.journal(1, sequence, first: 2 * sequence, events: events, facts: [9])
            }
            try database.lane.commit(batch, fence: fence)
            return fence
        }

        private static func reset(_ number: Int, through sequence: Int64, rows: Int64) -> CommitBatch {
            Sample.batch {
                $0.newRuns = [Sample.run(number)]
                $0.resets = [
                    RunReset(
                        runID: Sample.runID(number),
                        baseRunID: Sample.runID(1),
                        throughSequence: sequence,
                        rowCount: rows
                    )
                ]
                $0.journal = [Sample.journal(number, sequence + 1, first: 7, events: [7], facts: [8])]
            }
        }

        @Test(arguments: DatabaseKind.allCases)
        func rowsWithEventsAreCopiedWithoutFacts(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try Self.write(database)
            #expect(try database.loader.resetRun(of: Sample.runID(1)) == nil)
            try database.lane.commit(Self.reset(2, through: 4, rows: 3), fence: fence)
            let rows = try database.rows().filter { $0.hasPrefix("journal: \(Sample.runID(2))") }
            #expect(
                rows.map { $0.split(separator: "|").dropFirst().joined(separator: "|") } == [
                    "1|2|010203", "2|4|020203", "4|8|040203", "5|7|07|08",
                ]
            )
            #expect(try database.loader.resetRun(of: Sample.runID(1)) == Sample.runID(2))
            // The newest one counts. One without whole rows copies none.
            try database.lane.commit(Self.reset(4, through: 0, rows: 0), fence: fence)
            try database.lane.commit(Self.reset(3, through: 1, rows: 1), fence: fence)
            #expect(try database.loader.resetRun(of: Sample.runID(1)) == Sample.runID(4))
            #expect(try database.loader.resetRun(of: Sample.runID(2)) == nil)
        }

        @Test(arguments: DatabaseKind.allCases)
        func aCopyWithAGapIsRefused(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try Self.write(database)
            let before = try database.rows()
            for rows in [2, 4] as [Int64] {
                let found = failure { () throws(CommitError) in
                    try database.lane.commit(Self.reset(2, through: 4, rows: rows), fence: fence)
                }
                #expect(found?.kind == "data" && found?.sqlState == CommitError.incompleteCopy)
            }
            #expect(try database.rows() == before)
        }

        @Test(arguments: DatabaseKind.allCases)
        func theTraceGoesWithTheRun(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try Self.write(database)
            try database.lane.commit(Self.reset(2, through: 4, rows: 3), fence: fence)
            let deletion = Sample.batch {
                $0.deletions = [RunDeletion(runID: Sample.runID(2), key: Sample.key(2))]
                $0.closedRuns = [Sample.closing(2)]
            }
            try database.lane.commit(deletion, fence: fence)
            let limit = ErasureLimit(runs: 9, rows: 99, bytes: 999)
            #expect(try !database.loader.eraseDeletedRuns(shard: 0, limit: limit))
            #expect(try database.loader.resetRun(of: Sample.runID(1)) == nil)
        }
    }
}
