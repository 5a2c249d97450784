internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// The store of a publisher in one life of a server; see `ReachedLaneStore`.
final class ReachedOutboxStore: OutboxStore {
    private let store: any OutboxStore
    private let life: ServerLife

    init(_ store: any OutboxStore, _ life: ServerLife) {
        self.store = store
        self.life = life
    }

    func standing(of shard: Int32) throws(CommitError) -> ShardStanding {
        try life.call { () throws(CommitError) in try store.standing(of: shard) }
    }

    func read(_ query: OutboxQuery) throws(CommitError) -> [OutboxRow] {
        try life.call { () throws(CommitError) in try store.read(query) }
    }

    func waits(of shard: Int32) throws(CommitError) -> [String: Int64] {
        try life.call { () throws(CommitError) in try store.waits(of: shard) }
    }

    func positions(of shard: Int32) throws(CommitError) -> [String: Int64] {
        try life.call { () throws(CommitError) in try store.positions(of: shard) }
    }

    func record(_ positions: [String: Int64], of shard: Int32) throws(CommitError) {
        try life.call { () throws(CommitError) in try store.record(positions, of: shard) }
    }

    func delete(_ range: OutboxRange, limit: Int) throws(CommitError) -> Int64? {
        try life.call { () throws(CommitError) in try store.delete(range, limit: limit) }
    }

    func insertDeadEvent(_ row: OutboxRow, shard: Int32, error: String) throws(CommitError) {
        try life.call { () throws(CommitError) in try store.insertDeadEvent(row, shard: shard, error: error) }
    }

    func reconnect() throws(CommitError) {
        try life.call { () throws(CommitError) in try store.reconnect() }
    }
}
