import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices

/// The outboxes of some shards in memory, and their owner.
///
/// Unchecked: the whole world runs in one thread.
final class MemoryOutbox: @unchecked Sendable {
    struct Shard {
        var owner = ""
        var sequence: Int64 = 0
        var rows: [OutboxRow] = []
        var positions: [String: Int64] = [:]
        var dead: [OutboxRow] = []
        /// What a crash brings back: rows that were deleted since the log was flushed, and the positions before.
        var unflushed: [OutboxRow] = []
        var flushedPositions: [String: Int64] = [:]
    }

    var shards: [Shard]
    /// Sessions of an earlier generation are gone.
    private(set) var generation = 0
    /// Asked before each statement: nil carries it out. True carries it out and loses the answer.
    var fault: () -> Bool? = { nil }
    /// Called before and after each statement: others make steps meanwhile.
    var wait: () -> Void = {}

    init(shards count: Int) { shards = Array(repeating: Shard(), count: count) }

    func write(_ record: OutboxRecord, to shard: Int) {
        shards[shard].sequence += 1
        shards[shard].rows.append(OutboxRow(sequence: shards[shard].sequence, record: record))
    }

    /// Ends all sessions. Publishers' transactions do not wait for the flush of the log, so their newest are lost.
    func crash() {
        generation += 1
        for index in shards.indices {
            shards[index].rows = (shards[index].unflushed + shards[index].rows).sorted { $0.sequence < $1.sequence }
            shards[index].positions = shards[index].flushedPositions
            shards[index].unflushed = []
        }
    }

    /// Everything that was committed until now is kept.
    func flush() {
        for index in shards.indices {
            shards[index].flushedPositions = shards[index].positions
            shards[index].unflushed = []
        }
    }

    func setOwner(_ owner: String) { for shard in shards.indices { shards[shard].owner = owner } }

    /// Whether every record is published, as far as the publishers have noted, and deleted.
    var isEmpty: Bool { shards.allSatisfy(\.rows.isEmpty) }
}

/// A publisher's connection.
final class MemoryOutboxStore: OutboxStore {
    private let outbox: MemoryOutbox
    private let process: String
    private let isAlive: () -> Bool
    private var isConnected = true
    private var generation: Int

    init(_ outbox: MemoryOutbox, process: String, isAlive: @escaping () -> Bool) {
        self.outbox = outbox
        self.process = process
        self.isAlive = isAlive
        generation = outbox.generation
    }

    private func statement<Answer>(_ shard: Int32, _ body: (inout MemoryOutbox.Shard) -> Answer) throws(CommitError)
        -> Answer
    {
        outbox.wait()
        defer { outbox.wait() }
        guard isConnected, generation == outbox.generation, isAlive() else {
            throw .transient(PostgresError(.connectionLost, "not connected"))
        }
        switch outbox.fault() {
        case nil: return body(&outbox.shards[Int(shard)])
        case true?:
            _ = body(&outbox.shards[Int(shard)])
            isConnected = false
            throw .outcomeUnknown(PostgresError(.connectionLost, "the connection was lost"))
        case false?:
            isConnected = false
            throw .transient(PostgresError(.connectionLost, "the connection was lost"))
        }
    }

    func standing(of shard: Int32) throws(CommitError) -> ShardStanding {
        try statement(shard) { ShardStanding(isOwned: $0.owner == process, outboxSequence: $0.sequence) }
    }

    func read(_ query: OutboxQuery) throws(CommitError) -> [OutboxRow] {
        try statement(query.shard) { shard in
            let rows = shard.rows.lazy.filter { row in
                guard row.sequence > query.after else { return false }
                switch query.topics {
                case .only(let topic): return row.record.topic == topic
                case .allBut(let topics): return !topics.contains(row.record.topic)
                }
            }
            return Array(rows.prefix(query.rowLimit))
        }
    }

    func waits(of _: Int32) throws(CommitError) -> [String: Int64] { [:] }

    func positions(of shard: Int32) throws(CommitError) -> [String: Int64] { try statement(shard) { $0.positions } }

    func record(_ positions: [String: Int64], of shard: Int32) throws(CommitError) {
        try statement(shard) { $0.positions.merge(positions) { max($0, $1) } }
    }

    func delete(_ range: OutboxRange, limit: Int) throws(CommitError) -> Int64? {
        try statement(range.shard) { shard in
            let rows = shard.rows.filter {
                $0.record.topic == range.topic && $0.sequence > range.after && $0.sequence <= range.through
            }.prefix(limit)
            guard let last = rows.last else { return nil }
            let gone = Set(rows.map(\.sequence))
            shard.unflushed += shard.rows.filter { gone.contains($0.sequence) }
            shard.rows.removeAll { gone.contains($0.sequence) }
            return last.sequence
        }
    }

    func insertDeadEvent(_ row: OutboxRow, shard: Int32, error _: String) throws(CommitError) {
        try statement(shard) { if !$0.dead.contains(row) { $0.dead.append(row) } }
    }

    func reconnect() throws(CommitError) {
        isConnected = true
        generation = outbox.generation
    }
}
