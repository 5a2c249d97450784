public import SagamoreServices

/// The store that a shard's publisher reads records from and notes its progress in. Blocks; used by one thread.
public protocol OutboxStore: AnyObject {
    /// Whether this process owns the shard, and the number of the shard's last record.
    func standing(of shard: Int32) throws(CommitError) -> ShardStanding
    /// Records of a shard, in order.
    func read(_ query: OutboxQuery) throws(CommitError) -> [OutboxRow]
    /// Topics whose records wait for those of other shards, from which a slice came, to be published: records with a
    /// higher number than the one given.
    func waits(of shard: Int32) throws(CommitError) -> [String: Int64]
    /// The noted progress of each topic of the shard.
    func positions(of shard: Int32) throws(CommitError) -> [String: Int64]
    /// Notes the progress of topics; it never decreases. A crash of the database may lose it: the cursor in Kafka is
    /// authoritative.
    func record(_ positions: [String: Int64], of shard: Int32) throws(CommitError)
    /// Deletes records of a topic that are published: those after `lower`, up to `upper`, at most `limit` of them, in
    /// key order.
    ///
    /// - Returns: the number of the last record that was deleted; nil if none was left.
    func delete(_ range: OutboxRange, limit: Int) throws(CommitError) -> Int64?
    /// Stores a record that the broker refuses for good. A repeated call stores it once.
    func insertDeadEvent(_ row: OutboxRow, shard: Int32, error: String) throws(CommitError)
    /// Reconnects after an error.
    func reconnect() throws(CommitError)
}

/// What a publisher needs to know of its shard.
public struct ShardStanding: Sendable, Equatable {
    /// Whether the process that asks owns the shard.
    public let isOwned: Bool
    /// The number of the shard's last outbox record.
    public let outboxSequence: Int64
    /// Numbers that the owner left out when it took the shard.
    public let leftOut: ClosedRange<Int64>?

    /// Creates a standing.
    public init(isOwned: Bool, outboxSequence: Int64, leftOut: ClosedRange<Int64>? = nil) {
        self.isOwned = isOwned
        self.outboxSequence = outboxSequence
        self.leftOut = leftOut
    }
}

/// Which records to read.
public struct OutboxQuery: Sendable, Equatable {
    /// A choice of topics.
    public enum Topics: Sendable, Equatable {
        /// One topic.
        case only(String)
        /// Every topic except these.
        case allBut([String])
    }

    /// The shard whose outbox is read.
    public var shard: Int32
    /// The topics whose records are read.
    public var topics: Topics
    /// Only records with a higher number.
    public var after: Int64
    /// The most records to read.
    public var rowLimit: Int
    /// Stops once the records have this many bytes. The first one is read whatever its size.
    public var byteLimit: Int

    /// Creates a query.
    public init(shard: Int32, topics: Topics, after: Int64, rowLimit: Int, byteLimit: Int) {
        self.shard = shard
        self.topics = topics
        self.after = after
        self.rowLimit = rowLimit
        self.byteLimit = byteLimit
    }
}

/// A record of the outbox with its number.
public struct OutboxRow: Sendable, Equatable {
    /// The record's number in the shard's outbox.
    public let sequence: Int64
    /// The record.
    public let record: OutboxRecord
    /// Whether records of another shard may have to be published first; see `OutboxStore.waits`.
    public let mayWait: Bool

    /// Creates a row.
    public init(sequence: Int64, record: OutboxRecord, mayWait: Bool = false) {
        self.sequence = sequence
        self.record = record
        self.mayWait = mayWait
    }
}

/// A part of a shard's records of one topic.
public struct OutboxRange: Sendable, Equatable {
    /// The shard.
    public let shard: Int32
    /// The topic.
    public let topic: String
    /// Records with a higher number …
    public let after: Int64
    /// … up to this one.
    public let through: Int64

    /// Creates a range.
    public init(shard: Int32, topic: String, after: Int64, through: Int64) {
        self.shard = shard
        self.topic = topic
        self.after = after
        self.through = through
    }
}
