public import SagamoreEngine
public import SagamorePersistence

extension CommitStatements {
    /// All of it is one statement, which sees the journals as they were before.
    mutating func copy(_ resets: [RunReset]) throws(CommitError) {
        guard !resets.isEmpty else { return }
        begin()
        let journals = database.tables.journal
        for reset in resets {
            if database.tables.resets[reset.runID] != nil { throw .duplicate("resets_pkey", statement: statement) }
            database.write(.reset(reset.runID, base: reset.baseRunID))
        }
        var isIncomplete = false
        for reset in resets {
            let rows = (journals[reset.baseRunID] ?? []).filter {
                $0.sequence <= reset.throughSequence && !$0.events.isEmpty
            }
            for row in rows {
                if database.tables.journalRow(reset.runID, row.sequence) != nil {
                    throw .duplicate("journal_pkey", statement: statement)
                }
                var copy = row
                copy.runID = reset.runID
                copy.facts = []
                database.write(.journal(reset.runID, row.sequence, copy))
            }
            if Int64(rows.count) != reset.rowCount { isIncomplete = true }
        }
        guard isIncomplete else { return }
        throw .refused(CommitError.incompleteCopy, "a journal to be copied has lost rows", statement: statement)
    }
}

extension SimulatedLoaderStore {
    public func resetRun(of runID: RunID) throws(CommitError) -> RunID? {
        try database.perform(.resetRun, session) { () throws(CommitError) in
            var newest: RunID?
            database.tables.resets.scan(after: nil) { id, base in
                if base == runID { newest = id }
                return true
            }
            return newest
        }
    }
}

extension SimulatedDatabase {
    /// The runs that resets began, with the run whose history each repeats.
    public var resets: [(runID: RunID, baseRunID: RunID)] {
        var resets: [(runID: RunID, baseRunID: RunID)] = []
        tables.resets.scan(after: nil) { id, base in
            resets.append((id, base))
            return true
        }
        return resets
    }
}
