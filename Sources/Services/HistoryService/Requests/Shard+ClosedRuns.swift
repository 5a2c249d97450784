internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

extension Shard {
    /// Rebuilds a closed run that has left memory from its journal, in the loader's turns, a page at a time. It does
    /// not stay in memory.
    func read(
        _ row: RunRow,
        failed: @escaping @Sendable (RequestError) -> Void,
        _ done: @escaping @Sendable (CachedRun) -> Void
    ) {
        loads.read(row, for: ClosedRunReader(failed: failed, done: done))
    }

    /// Finds out whether a closed run took a request with this id. Nearly always the id is new, and the database can
    /// tell without sending the journal. Only a run whose journal contains the bytes of the id is rebuilt.
    func hasSeen(
        _ requestID: String,
        in row: RunRow,
        failed: @escaping @Sendable (RequestError) -> Void,
        _ done: @escaping @Sendable (Bool) -> Void
    ) {
        loads.add(
            .read(
                { [self] (store) throws(CommitError) in
                    guard try store.journalContains(Array(requestID.utf8), of: row.runID) else { return done(false) }
                    read(row, failed: failed) { run in done(run.execution.hasSeen(requestID)) }
                },
                failed: failed
            )
        )
    }

    /// Finds out how far a closed run has come with an update, like `hasSeen`.
    func hasUpdate(
        _ id: String,
        in row: RunRow,
        failed: @escaping @Sendable (RequestError) -> Void,
        _ done: @escaping @Sendable (UpdateProgress?) -> Void
    ) {
        loads.add(
            .read(
                { [self] (store) throws(CommitError) in
                    guard try store.historyContains(Array(id.utf8), of: row.runID) else { return done(nil) }
                    read(row, failed: failed) { run in done(run.execution.progress(ofUpdate: id)) }
                },
                failed: failed
            )
        )
    }
}
