internal import SagamoreEngine
internal import SagamoreKafkaClient

/// A transaction of a producer. Unchecked: the whole world runs in one thread.
final class SimulatedTransaction: @unchecked Sendable {
    enum State { case open, committed, aborted }

    let id: String
    let epoch: Int
    let limit: Interval
    let began: Instant
    var state = State.open
    /// The partitions that hold records of it, in the order of their first ones.
    var partitions: [KafkaPartition] = []
    var offsets: [(group: String, partition: KafkaPartition, stored: KafkaAdmin.CommittedOffset)] = []

    init(_ id: String, epoch: Int, began: Instant, limit: Interval) {
        self.id = id
        self.epoch = epoch
        self.began = began
        self.limit = limit
    }
}

/// The records of a partition.
struct PartitionLog {
    private enum Entry {
        case record(KafkaRecord, SimulatedTransaction?)
        /// The end of a transaction. It takes an offset and is never read.
        case marker
    }

    /// The offset of the oldest record.
    private(set) var first: Int64 = 0
    private var entries: [Entry] = []

    /// The offset of the next record.
    var end: Int64 { first + Int64(entries.count) }

    mutating func append(_ record: KafkaRecord, _ transaction: SimulatedTransaction?) {
        var record = record
        record.offset = end
        entries.append(.record(record, transaction))
    }

    mutating func appendMarker() { entries.append(.marker) }

    /// Removes records, as retention does.
    mutating func removeRecords(before offset: Int64) {
        let count = min(max(offset - first, 0), Int64(entries.count))
        entries.removeFirst(Int(count))
        first += count
    }

    /// Removes the newest records, as an unclean election of a leader does.
    mutating func truncate(to offset: Int64) {
        entries.removeLast(Int(min(max(end - offset, 0), Int64(entries.count))))
    }

    /// Committed records from an offset on, and the next offset to read. Reading ends at the first open transaction.
    func read(from offset: Int64, limit: Int) -> (records: [KafkaRecord], next: Int64) {
        var records: [KafkaRecord] = []
        var next = max(offset, first)
        while next < end, records.count < limit {
            switch entries[Int(next - first)] {
            case .record(_, let transaction?) where transaction.state == .open: return (records, next)
            case .record(_, let transaction?) where transaction.state == .aborted: break
            case .record(let record, _): records.append(record)
            case .marker: break
            }
            next += 1
        }
        return (records, next)
    }
}
