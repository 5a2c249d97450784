import SagamoreAPI
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import Testing

extension PersistenceTests {
    /// What lists show of runs.
    @Suite struct Listings {
        @Test(arguments: [
            (WorkflowExecutionStatus.completed, SagaStatus.compensated), (.canceled, .compensated),
            (.terminated, .compensationFailed), (.timedOut, .compensationFailed), (.failed, .compensationFailed),
            (.continuedAsNew, .compensating),
        ])
        func whatACompensatingRunEndsAs(_ status: WorkflowExecutionStatus, _ expected: SagaStatus) throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = (1...3).map { Storage.run($0) }
            try storage.lane.commit(batch, fence: fence)
            batch = CommitBatch()
            batch.listingChanges = [1, 2].map { number in
                var change = RunListingChange(runID: Storage.runID(number), namespace: 1)
                change.saga = .compensating
                return change
            }
            try storage.lane.commit(batch, fence: fence)
            let figures = try PostgresFigures(url: storage.url)
            #expect(try figures.read().compensatingSagas == [1: 2])
            batch = CommitBatch()
            batch.closedRuns = [1, 3].map { number in
                RunClosing(
                    runID: Storage.runID(number),
                    status: status,
                    closedAt: Storage.noon,
                    historyLength: 5,
                    historyBytes: 500,
                    transitions: 3
                )
            }
            try storage.lane.commit(batch, fence: fence)
            let found = "select coalesce(saga_status::text, '-') from sagamore.runs order by run_id"
            #expect(try storage.texts(found) == ["\(expected.rawValue)", "2", "-"])
            let read = try figures.read()
            #expect(read.compensatingSagas == [1: 1])
            #expect(read.uncompensatedSagas == (expected == .compensationFailed ? [1: 1] : [:]))
            figures.close()

            var listing = RunListing()
            listing.saga = .compensating
            listing.end(as: status, nil)
            #expect(listing.saga == expected, "a run that begins and ends in one commit")
            listing.end(as: status, .compensated)
            #expect(listing.saga == .compensated)
        }

        /// Rows of values go with their run.
        @Test func valuesAreDeletedWithTheirRun() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            let attribute = SearchAttribute(id: 1, name: "City", type: .keywordList)
            batch.newRuns = (1...4).map { number in
                let end = Storage.noon + .seconds(Int64(number))
                var run = Storage.run(number, closedAt: number < 4 ? end : nil)
                run.listing.values = SearchValue.values(of: attribute, .keywordList(["Bonn", "Köln", "Bonn"]))
                return run
            }
            try storage.lane.commit(batch, fence: fence)
            #expect(try storage.number("select count(*) from sagamore.search_values") == 8)
            batch = CommitBatch()
            batch.deletions = [RunDeletion(runID: Storage.runID(1), key: Storage.key(1))]
            try storage.lane.commit(batch, fence: fence)
            let limit = ErasureLimit(runs: 10, rows: 100, bytes: 1_000_000)
            while try storage.loader.eraseDeletedRuns(shard: 0, limit: limit) {}
            let left = "select run_id::text from sagamore.search_values where position = 0 order by run_id"
            #expect(try storage.texts(left) == (2...4).map { Storage.runID($0).description })
            _ = try storage.loader.deleteRuns(
                shard: 0,
                of: [1],
                closedBefore: Storage.noon + .seconds(3),
                after: RunID(high: 0, low: 0),
                before: RunID(high: .max, low: .max),
                limit: 10
            )
            #expect(try storage.texts(left) == (3...4).map { Storage.runID($0).description })
        }
    }
}
