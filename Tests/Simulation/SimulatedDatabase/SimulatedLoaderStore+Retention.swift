public import SagamoreEngine
public import SagamorePersistence

extension SimulatedLoaderStore {
    public func retentions() throws(CommitError) -> [Int32: Interval] {
        try database.perform(.retentions, session) { () throws(CommitError) in database.tables.retentions }
    }

    public func deleteRuns(
        shard: Int32,
        of namespaces: [Int32],
        closedBefore: Instant,
        after first: RunID,
        before end: RunID,
        limit: Int
    ) throws(CommitError) -> RunID? {
        try database.perform(.deleteRuns, session, shard: shard) { () throws(CommitError) in
            var old: [RunID] = []
            guard limit > 0 else { return nil }
            let tables = database.tables
            tables.runs.scan(after: first) { id, run in
                guard id < end else { return false }
                if let closedAt = run.closedAt, closedAt < closedBefore, namespaces.contains(run.key.namespace),
                    tables.slices[SliceTable.slice(of: run.key)] == shard, tables.alarms[id] == nil
                {
                    old.append(id)
                }
                return old.count < limit
            }
            try database.transaction { () throws(CommitError) in
                for id in old {
                    database.deleteRun(id)
                }
            }
            return old.count == limit ? old.last : nil
        }
    }

    /// The earliest first; PostgreSQL promises no order.
    public func deleteTraces(before instant: Instant, limit: Int) throws(CommitError) -> Int {
        try database.perform(.deleteTraces, session) { () throws(CommitError) in
            var old: [LookUp] = []
            guard limit > 0 else { return 0 }
            database.tables.inboxByTime.scan(after: nil) { place, row in
                guard place.at < instant else { return false }
                old.append(LookUp(key: row.key, commandID: row.commandID))
                return old.count < limit
            }
            try database.transaction { () throws(CommitError) in
                for key in old { database.write(.inbox(key, nil)) }
            }
            return old.count
        }
    }
}
