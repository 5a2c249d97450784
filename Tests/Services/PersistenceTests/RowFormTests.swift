import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

extension PersistenceTests {
    /// Few rows are written from a list of values, many from arrays: what is stored is the same.
    @Suite struct RowForms {
        private static let tables = ["runs", "journal", "alarms", "inbox"]

        /// A run with everything in every second row, and with nothing that can be missing in the others.
        private static func run(_ number: Int) -> RunRow {
            var run = Storage.run(number)
            guard number.isMultiple(of: 2) else { return run }
            run.listing.executionAt = Storage.noon + .seconds(Int64(number))
            run.listing.parent = RunName(workflowID: "parent", runID: Storage.runID(number + 1_000))
            run.listing.root = RunName(workflowID: "root", runID: Storage.runID(number + 2_000))
            run.listing.commandID = "command \(number)"
            run.listing.saga = .compensating
            run.listing.memo = [UInt8(truncatingIfNeeded: number)]
            run.listing.searchAttributes = []
            return run
        }

        private static func journal(_ number: Int) -> JournalRow {
            var row = Storage.journal(number, 1, first: 1, events: [UInt8(number), 0], facts: [])
            guard number.isMultiple(of: 2) else { return row }
            row.step = "book \(number)"
            row.build.id = ""
            row.build.binaryChecksum = "sum"
            return row
        }

        private static func closing(_ number: Int) -> RunClosing {
            var closing = RunClosing(
                runID: Storage.runID(number),
                status: number.isMultiple(of: 3) ? .failed : .completed,
                closedAt: Storage.noon + .seconds(Int64(number)),
                historyLength: Int64(number),
                historyBytes: Int64(number) * 100,
                transitions: 5
            )
            if number.isMultiple(of: 4) { closing.saga = .compensationFailed }
            return closing
        }

        /// What is stored once the rows were written in commits of so many.
        private static func stored(_ count: Int, inCommitsOf size: Int) throws -> [String] {
            let storage = try Storage()
            let fence = try storage.take()
            let numbers = Array(1...count)
            let parts = stride(from: 0, to: count, by: size).map { numbers[$0..<min($0 + size, count)] }
            for part in parts {
                var batch = CommitBatch()
                batch.newRuns = part.map(run)
                batch.assumedNew = part.map { Storage.key($0) }
                batch.alarms = part.map { number in
                    Storage.alarm(number, .insert(AlarmValue(at: number.isMultiple(of: 2) ? nil : Storage.noon)))
                }
                batch.journal = part.map(journal)
                batch.inbox = part.map { Storage.inbox($0, "command \($0)") }
                try storage.lane.commit(batch, fence: fence)
            }
            let begun = try dump(storage)
            for part in parts {
                var batch = CommitBatch()
                batch.closedRuns = part.map(closing)
                try storage.lane.commit(batch, fence: fence)
            }
            let closed = try dump(storage)
            #expect(begun != closed)
            return begun + closed
        }

        private static func dump(_ storage: Storage) throws -> [String] {
            try tables.flatMap { try storage.texts("select t::text from sagamore.\($0) t order by t::text") }
        }

        @Test(arguments: [1, 4, 5, 40])
        func aCommitStoresTheSameAsOneOfEachRow(_ count: Int) throws {
            let together = try Self.stored(count, inCommitsOf: count)
            #expect(together.count == 2 * Self.tables.count * count)
            #expect(try Self.stored(count, inCommitsOf: 1) == together)
        }

        @Test(arguments: [1, 4, 5])
        func aWorkflowThatIsKnownIsRefusedAmongOthers(_ count: Int) throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = [Storage.run(count)]
            try storage.lane.commit(batch, fence: fence)
            batch = CommitBatch()
            batch.newRuns = (1...count).map { Storage.run($0 + 100) }
            batch.assumedNew = (1...count).map { Storage.key($0) }
            #expect(throws: CommitError.self) { try storage.lane.commit(batch, fence: fence) }
            #expect(try storage.number("select count(*) from sagamore.runs") == 1)
        }
    }
}
