internal import SagamoreEngine
internal import SagamorePersistence

extension Shard {
    /// Reads a closed run that is out of memory from its journal, on the loader's thread. It is looked at there and
    /// forgotten.
    func read(
        _ row: RunRow,
        failed: @escaping @Sendable (RequestError) -> Void,
        _ done: @escaping @Sendable (CachedRun) -> Void
    ) {
        let configuration = configuration
        let now = clock()
        loads.add(
            .read(
                { (store) throws(CommitError) in
                    guard let journal = try store.loadJournals([row.runID])[row.runID] else {
                        // Its retention ended after its row was read.
                        return failed(.runNotFound(row.key.workflowID, row.runID))
                    }
                    guard let run = try? CachedRun.rebuilt(row, journal, at: now) else {
                        return failed(RequestError(.internalError, "the journal of run \(row.runID) can not be read"))
                    }
                    done(run)
                },
                failed: failed
            )
        )
    }
}
