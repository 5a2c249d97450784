internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreSimulatedDatabase

/// Checks each commit against all before it: numbers have no gaps, and nothing is written behind the end of a run.
///
/// - `fence`: nobody but the newest owner of a shard commits to it.
/// - `event-ids`: the ids of a run's events count from 1 without gaps.
/// - `journal-order`: the rows of a run's journal are in order.
/// - `one-open-run`: a workflow has at most one open run.
/// - `outbox-numbers`: the records of a shard are numbered without gaps but those that an owner leaves out, each number
///   once, also those of commits that were lost.
struct CommitCheck {
    /// What the next row of a run has to continue.
    private struct End {
        var eventID: Int64
        var sequence: Int64
    }

    private var ends: [RunID: End] = [:]
    /// The number of the last record of each shard, also of those that the database has lost: they may be published.
    private var lastRecords: [Int32: Int64] = [:]

    /// What was committed before may be gone.
    mutating func historyWasRewritten() { ends = [:] }

    /// - Parameter database: which has committed the batch.
    mutating func check(
        _ batch: CommitBatch,
        _ fence: ShardFence,
        in database: SimulatedDatabase
    ) throws(Violation) {
        let row = database.shards[Int(fence.shard)]
        let epoch = row.epoch
        guard epoch == fence.epoch else {
            throw Violation("fence", "shard \(fence.shard) of epoch \(epoch) has a commit of epoch \(fence.epoch)")
        }
        for row in batch.journal { try check(row, in: database) }
        for run in batch.newRuns where database.openRun(of: run.key) == run.runID {
            let open = database.runIDs(of: run.key).filter { database.run($0)?.status == .running }
            guard open.count <= 1 else {
                throw Violation("one-open-run", "workflow \(run.key.workflowID) has \(open.count) open runs")
            }
        }
        if let last = lastRecords[fence.shard], !batch.outbox.isEmpty,
            fence.outboxSequence != last, fence.outboxSequence != row.outboxStart || fence.outboxSequence < last
        {
            throw Violation(
                "outbox-numbers",
                "shard \(fence.shard) numbers records from \(fence.outboxSequence + 1) on after record \(last)"
            )
        }
        if !batch.outbox.isEmpty {
            lastRecords[fence.shard] = fence.outboxSequence + Int64(batch.outbox.count)
        }
    }

    private mutating func check(_ row: JournalRow, in database: SimulatedDatabase) throws(Violation) {
        var end = ends[row.runID] ?? End(eventID: 0, sequence: 0)
        if ends[row.runID] == nil, row.sequence > 1 {
            // Its beginning was not seen: the whole journal is checked.
            for earlier in database.journal(of: row.runID) where earlier.sequence < row.sequence {
                try advance(&end, over: earlier)
            }
        }
        try advance(&end, over: row)
        ends[row.runID] = end
    }

    private func advance(_ end: inout End, over row: JournalRow) throws(Violation) {
        guard row.sequence > end.sequence else {
            throw Violation("journal-order", "run \(row.runID): row \(row.sequence) follows row \(end.sequence)")
        }
        guard row.firstEventID == end.eventID + 1 else {
            throw Violation(
                "event-ids",
                "run \(row.runID): a row that begins with event \(row.firstEventID) follows event \(end.eventID)"
            )
        }
        end.sequence = row.sequence
        end.eventID += Int64(try count(of: row))
    }

    private func count(of row: JournalRow) throws(Violation) -> Int {
        do {
            return try ProtobufReader.read(row.events) { (reader) throws(ProtobufError) in
                var count = 0
                while try reader.nextTag() != nil {
                    try reader.skip()
                    count += 1
                }
                return count
            }
        } catch {
            throw Violation("event-ids", "run \(row.runID): a row of the journal cannot be read: \(error)")
        }
    }
}
