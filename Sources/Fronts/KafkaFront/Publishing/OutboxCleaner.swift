internal import SagamorePersistence

/// Records the published positions in the database and deletes published rows, in bounded steps.
struct OutboxCleaner {
    private let shard: Int32
    private let rowLimit: Int
    private var recorded: [String: Int64] = [:]
    private var deleted: [String: Int64] = [:]

    init(shard: Int32, rowLimit: Int) {
        self.shard = shard
        self.rowLimit = rowLimit
    }

    /// Whether all positions are recorded and all rows up to them are deleted.
    func isDone(_ positions: [String: Int64]) -> Bool {
        positions.allSatisfy { recorded[$0.key] ?? 0 >= $0.value && deleted[$0.key] ?? 0 >= $0.value }
    }

    /// The connection was lost, perhaps in a crash of the database. What was done here does not wait for the flush of
    /// the log, so it may be undone, and is done again.
    mutating func connectionWasLost() {
        recorded = [:]
        deleted = [:]
    }

    mutating func clean(_ positions: [String: Int64], _ store: any OutboxStore) throws(CommitError) {
        let new = positions.filter { $0.value > recorded[$0.key] ?? 0 }
        if !new.isEmpty {
            try store.record(new, of: shard)
            recorded.merge(new) { max($0, $1) }
        }
        for (topic, position) in positions.sorted(by: { $0.key < $1.key }) {
            let from = deleted[topic] ?? 0
            guard position > from else { continue }
            let range = OutboxRange(shard: shard, topic: topic, after: from, through: position)
            // Nil: no row up to the position is left.
            deleted[topic] = try store.delete(range, limit: rowLimit) ?? position
        }
    }
}
