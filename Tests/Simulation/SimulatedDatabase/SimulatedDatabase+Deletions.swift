internal import SagamoreEngine
public import SagamorePersistence

extension CommitStatements {
    mutating func delete(_ deletions: [RunDeletion]) {
        guard !deletions.isEmpty else { return }
        begin()
        for deletion in deletions {
            if var run = database.tables.runs[deletion.runID] {
                run.status = .unspecified
                database.write(.run(deletion.runID, run))
            }
            if database.tables.deletions[deletion.runID] == nil {
                database.write(.deletion(deletion.runID, slice: SliceTable.slice(of: deletion.key)))
            }
        }
    }
}

extension SimulatedLoaderStore {
    public func eraseDeletedRuns(shard: Int32, limit: ErasureLimit) throws(CommitError) -> Bool {
        try database.perform(.eraseDeletedRuns, session, shard: shard) { () throws(CommitError) in
            let tables = database.tables
            var waiting: [RunID] = []
            tables.deletions.scan(after: nil) { id, slice in
                guard waiting.count < limit.runs else { return false }
                if tables.slices[slice] == shard, tables.alarms[id] == nil { waiting.append(id) }
                return true
            }
            var (rows, bytes, done) = (0, 0, 0)
            try database.transaction { () throws(CommitError) in
                for id in waiting {
                    var isDone = true
                    for row in tables.journal[id] ?? [] {
                        guard rows < limit.rows, bytes < limit.bytes else {
                            isDone = false
                            break
                        }
                        rows += 1
                        bytes += row.events.count + row.facts.count
                        database.write(.journal(id, row.sequence, nil))
                    }
                    guard isDone else { continue }
                    done += 1
                    if tables.snapshots[id] != nil { database.write(.snapshot(id, nil)) }
                    database.deleteHeartbeats(of: id)
                    if tables.resets[id] != nil { database.write(.reset(id, base: nil)) }
                    database.write(.deletion(id, slice: nil))
                }
            }
            return waiting.count == limit.runs || done < waiting.count
        }
    }
}
