public import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreProtobuf
internal import SagamoreServices

/// A publisher's session with a simulated database. All but dead events is written by transactions that do not wait
/// for the flush of the log: see `SimulatedDatabase.crash`.
public final class SimulatedOutboxStore: OutboxStore {
    private let database: SimulatedDatabase
    private let session: Session

    init(_ database: SimulatedDatabase, _ session: Session) {
        self.database = database
        self.session = session
    }

    public func standing(of shard: Int32) throws(CommitError) -> ShardStanding {
        try database.perform(.publisherStanding, session, shard: shard) { () throws(CommitError) in
            guard let row = database.tables.shard(shard) else {
                return ShardStanding(isOwned: false, outboxSequence: 0)
            }
            let isOwned = row.owner.hasSameBytes(as: session.client)
            return ShardStanding(isOwned: isOwned, outboxSequence: row.outboxSequence, leftOut: row.leftOut)
        }
    }

    public func waits(of shard: Int32) throws(CommitError) -> [String: Int64] {
        try database.perform(.waits, session, shard: shard) { () throws(CommitError) in
            var over: [WaitKey] = []
            var first: [ExactText: Int64] = [:]
            database.tables.scanWaits(of: shard) { key, through in
                var isOver = true
                database.tables.outbox(of: key.forShard).scan(after: nil) { sequence, entry in
                    guard sequence <= through else { return false }
                    isOver = false
                    let topic = ExactText(entry.record.topic)
                    first[topic] = min(first[topic] ?? .max, key.afterSequence)
                    return true
                }
                if isOver { over.append(key) }
            }
            try database.transaction(isAsynchronous: true) { () throws(CommitError) in
                for key in over { database.write(.wait(key, nil)) }
            }
            return Self.byText(first)
        }
    }

    public func read(_ query: OutboxQuery) throws(CommitError) -> [OutboxRow] {
        try database.perform(.readOutbox, session, shard: query.shard) { () throws(CommitError) in
            let wanted: (String) -> Bool
            switch query.topics {
            case .only(let topic):
                try CommitError.refuseNul(topic)
                wanted = { $0.hasSameBytes(as: topic) }
            case .allBut(let topics):
                for topic in topics { try CommitError.refuseNul(topic) }
                wanted = { topic in !topics.contains { $0.hasSameBytes(as: topic) } }
            }
            var rows: [OutboxRow] = []
            guard query.rowLimit > 0 else { return rows }
            var firstWait = Int64.max
            let tables = database.tables
            tables.scanWaits(of: query.shard) { key, _ in firstWait = min(firstWait, key.afterSequence) }
            var bytes = 0
            tables.outbox(of: query.shard).scan(after: query.after) { sequence, entry in
                guard bytes < query.byteLimit else { return false }
                guard wanted(entry.record.topic) else { return true }
                rows.append(OutboxRow(sequence: sequence, record: entry.record, mayWait: sequence > firstWait))
                bytes += entry.size
                return rows.count < query.rowLimit
            }
            return rows
        }
    }

    public func positions(of shard: Int32) throws(CommitError) -> [String: Int64] {
        try database.perform(.positions, session, shard: shard) { () throws(CommitError) in
            Self.byText(database.tables.positions(of: shard))
        }
    }

    public func record(_ positions: [String: Int64], of shard: Int32) throws(CommitError) {
        guard !positions.isEmpty else { return }
        try database.perform(.recordPositions, session, shard: shard) { () throws(CommitError) in
            for topic in positions.keys { try CommitError.refuseNul(topic) }
            try database.transaction(isAsynchronous: true) { () throws(CommitError) in
                let known = database.tables.positions(of: shard)
                for (topic, sequence) in positions {
                    let topic = ExactText(topic)
                    if known[topic].map({ $0 < sequence }) ?? true {
                        database.write(.position(shard, topic, sequence))
                    }
                }
            }
        }
    }

    public func delete(_ range: OutboxRange, limit: Int) throws(CommitError) -> Int64? {
        try database.perform(.deleteRecords, session, shard: range.shard) { () throws(CommitError) in
            try CommitError.refuseNul(range.topic)
            var published: [Int64] = []
            guard limit > 0 else { return nil }
            database.tables.outbox(of: range.shard).scan(after: range.after) { sequence, entry in
                guard sequence <= range.through else { return false }
                if entry.record.topic.hasSameBytes(as: range.topic) { published.append(sequence) }
                return published.count < limit
            }
            try database.transaction(isAsynchronous: true) { () throws(CommitError) in
                for sequence in published { database.write(.outbox(range.shard, sequence, nil)) }
            }
            return published.last
        }
    }

    public func insertDeadEvent(_ row: OutboxRow, shard: Int32, error: String) throws(CommitError) {
        try database.perform(.insertDeadEvent, session, shard: shard) { () throws(CommitError) in
            try CommitError.refuseNul(row.record.topic, error, statement: 1)
            let key = DeadKey(shard: shard, sequence: row.sequence)
            guard database.tables.deadEvents[key] == nil else { return }
            let dead = DeadEventRow(shard: shard, sequence: row.sequence, record: row.record, error: error)
            try database.transaction { () throws(CommitError) in database.write(.deadEvent(key, dead)) }
        }
    }

    public func reconnect() throws(CommitError) {
        do throws(PostgresError) { try database.connect(session) } catch { throw CommitError(error) }
    }

    private static func byText(_ values: [ExactText: Int64]) -> [String: Int64] {
        var texts: [String: Int64] = [:]
        for (topic, value) in values { texts[topic.text] = value }
        return texts
    }
}
