public import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
public import SagamoreServices

/// A row of `shards`. The version of the table of slices is the same in all of them, see `SimulatedDatabase`.
public struct ShardRow: Sendable, Equatable {
    /// Raised each time the shard is taken.
    public internal(set) var epoch: Int64 = 0
    /// The name of the owner's node.
    public internal(set) var node = ""
    /// The owner's process; empty for none.
    public internal(set) var owner = ""
    /// Until when the owner's lease lasts; `distantPast` for none.
    public internal(set) var leaseUntil = Instant.distantPast
    /// The number of the last outbox record.
    public internal(set) var outboxSequence: Int64 = 0
    /// The number of the last outbox record that the owner found.
    public internal(set) var outboxFound: Int64?
    /// The number behind which those of the owner begin.
    public internal(set) var outboxStart: Int64?
    /// The number of commits.
    public internal(set) var commitCount: Int64 = 0

    var leftOut: ClosedRange<Int64>? {
        guard let outboxFound, let outboxStart, outboxFound < outboxStart else { return nil }
        return (outboxFound + 1)...outboxStart
    }
}

/// A row of `alarms`.
public struct AlarmRow: Sendable, Equatable {
    /// When the run's owner must look; nil while the run is in memory.
    public internal(set) var at: Instant?
    /// The slice of the run's workflow.
    public let slice: Int
    /// The workflow whose open run this is; nil for a closed run with debts.
    public internal(set) var open: WorkflowKey?
}

/// A row of `dead_events`.
public struct DeadEventRow: Sendable, Equatable {
    /// The shard whose record it was.
    public let shard: Int32
    /// The record's number.
    public let sequence: Int64
    /// The record.
    public let record: OutboxRecord
    /// Why the broker refused it.
    public let error: String
}

/// A row of `outbox_waits`.
public struct OutboxWaitRow: Sendable, Equatable {
    /// The shard whose records wait.
    public let shard: Int32
    /// Those with a higher number wait …
    public let afterSequence: Int64
    /// … for records of this shard …
    public let forShard: Int32
    /// … up to this one.
    public let throughSequence: Int64
}

/// The place of a parked run in `alarms_parked`.
struct ParkedPlace: Comparable {
    let at: Instant
    let runID: RunID

    static func < (left: ParkedPlace, right: ParkedPlace) -> Bool {
        left.at == right.at ? left.runID < right.runID : left.at < right.at
    }
}

/// A place by time. Rows of one time keep the order in which they were written.
struct TimePlace: Comparable {
    let at: Instant
    let number: Int

    static func < (left: TimePlace, right: TimePlace) -> Bool { (left.at, left.number) < (right.at, right.number) }
}

/// A place in a task queue. Rows of one place keep the order in which they were written.
struct QueuePlace: Comparable {
    let priority: Int8
    let place: Int64
    let number: Int

    static func < (left: QueuePlace, right: QueuePlace) -> Bool {
        (left.priority, left.place, left.number) < (right.priority, right.place, right.number)
    }
}

struct BacklogEntry {
    let row: BacklogRow
    let slice: Int
    /// Counts the rows that were ever written.
    let number: Int

    var queue: ExactText { ExactText(row.queue) }
    var place: QueuePlace { QueuePlace(priority: row.priority, place: row.place, number: number) }
}

struct InboxEntry {
    let row: InboxRow
    /// Counts the rows that were ever written.
    let number: Int
}

struct OutboxEntry {
    let record: OutboxRecord
    /// What the limit of a read counts: value and headers as they are stored.
    let size: Int
}

struct WaitKey: Comparable {
    let shard: Int32
    let afterSequence: Int64
    let forShard: Int32

    static func < (left: WaitKey, right: WaitKey) -> Bool {
        (left.shard, left.afterSequence, left.forShard) < (right.shard, right.afterSequence, right.forShard)
    }
}

struct DeadKey: Comparable {
    let shard: Int32
    let sequence: Int64

    static func < (left: DeadKey, right: DeadKey) -> Bool {
        (left.shard, left.sequence) < (right.shard, right.sequence)
    }
}
