import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

/// Rows for tests, by number.
enum Sample {
    static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)
    static let owner = ShardOwner(node: "node", process: "process")
    static let none = RunID(high: 0, low: 0)

    static func runID(_ number: Int) -> RunID { RunID(at: noon + .milliseconds(Int64(number)), random: (0, 7)) }

    static func key(_ number: Int) -> WorkflowKey { WorkflowKey(namespace: 1, workflowID: "run \(number)") }

    static func run(_ number: Int, workflow: Int? = nil, closedAt: Instant? = nil) -> RunRow {
        RunRow(
            runID: runID(number),
            key: key(workflow ?? number),
            workflowType: "TravelBooking",
            taskQueue: "travel",
            startRequestID: "start \(number)",
            status: closedAt == nil ? .running : .completed,
            startedAt: noon,
            closedAt: closedAt,
            historyLength: 2,
            historyBytes: 200
        )
    }

    static func closing(_ number: Int, at instant: Instant = noon) -> RunClosing {
        RunClosing(
            runID: runID(number),
            status: .completed,
            closedAt: instant,
            historyLength: 9,
            historyBytes: 900
        )
    }

    static func journal(_ number: Int, _ sequence: Int64, first: Int64, events: [UInt8], facts: [UInt8] = [])
        -> JournalRow
    {
        JournalRow(runID: runID(number), sequence: sequence, firstEventID: first, events: events, facts: facts)
    }

    static func snapshot(_ number: Int, _ sequence: Int64, after previous: Int64 = 0, state: [UInt8]) -> SnapshotRow {
        SnapshotRow(runID: runID(number), sequence: sequence, previousSequence: previous, format: 1, state: state)
    }

    static func inbox(_ number: Int, _ commandID: String, at instant: Instant = noon) -> InboxRow {
        InboxRow(
            receivedAt: instant,
            key: key(number),
            commandID: commandID,
            source: RecordCoordinates(cluster: "c", topic: "saga.commands", partition: 0, offset: Int64(number))
        )
    }

    static func alarm(_ number: Int, _ change: AlarmChange.Change) -> AlarmChange {
        AlarmChange(runID: runID(number), change: change)
    }

    static func record(_ text: String, topic: String = "events") -> OutboxRecord {
        OutboxRecord(
            topic: topic,
            key: nil,
            value: Array(text.utf8),
            headers: [OutboxRecord.Header(name: "n", value: nil), OutboxRecord.Header(name: "e", value: [])]
        )
    }

    static func heartbeat(_ number: Int, _ event: Int64, attempt: Int32 = 1, details: [UInt8]) -> HeartbeatRow {
        HeartbeatRow(
            runID: runID(number),
            scheduledEventID: event,
            attempt: attempt,
            details: details,
            recordedAt: noon
        )
    }

    static func waiting(
        _ number: Int,
        _ task: Int64,
        queue: String,
        since: Int64,
        priority: Int8 = 3,
        place: Int64? = nil
    ) -> BacklogRow {
        BacklogRow(
            key: BacklogRow.Key(runID: runID(number), task: task),
            queue: queue,
            since: Instant(nanoseconds: since),
            priority: priority,
            place: place ?? since
        )
    }

    /// Runs that begin, with their alarms and the first row of their journals.
    static func starts(_ numbers: Int...) -> CommitBatch {
        var batch = CommitBatch()
        for number in numbers {
            batch.newRuns.append(run(number))
            batch.alarms.append(alarm(number, .insert(.active)))
            batch.journal.append(journal(number, 1, first: 1, events: [UInt8(number)], facts: [1]))
        }
        return batch
    }

    /// A batch that `change` fills.
    static func batch(_ change: (inout CommitBatch) -> Void) -> CommitBatch {
        var batch = CommitBatch()
        change(&batch)
        return batch
    }
}

/// Of a `CommitError`, what both databases must agree on.
struct Failure: Equatable, CustomStringConvertible {
    let kind: String
    let code: String?
    let sqlState: String?
    let constraint: String?
    let statement: Int?
    let message: String?

    init(_ error: CommitError) {
        switch error {
        case .fenced:
            (kind, code, sqlState, constraint, statement, message) = ("fenced", nil, nil, nil, nil, nil)
        case .data(let cause), .transient(let cause), .outcomeUnknown(let cause), .permanent(let cause),
            .misconfigured(let cause):
            kind = "\(error)".prefix { $0 != "(" }.description
            (code, sqlState, constraint) = (cause.code.description, cause.sqlState, cause.constraint)
            (statement, message) = (cause.statementIndex, cause.message)
        }
    }

    var description: String {
        [kind, code, sqlState, constraint, statement?.description, message].map { $0 ?? "-" }.joined(separator: " ")
    }
}

/// What `body` fails with; nil if it does not.
func failure(_ body: () throws(CommitError) -> Void) -> Failure? {
    do throws(CommitError) {
        try body()
        return nil
    } catch {
        return Failure(error)
    }
}

extension DatabaseUnderTest {
    /// Takes shard 0 for `Sample.owner`.
    func take() throws -> ShardFence {
        let taken = try #require(try lane.takeShard(0, as: Sample.owner))
        return ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
    }

    /// What a commit fails with, as kind, SQLSTATE, constraint and statement.
    func refusal(_ batch: CommitBatch, _ fence: ShardFence) -> String? {
        let found = failure { () throws(CommitError) in try lane.commit(batch, fence: fence) }
        return found.map {
            [$0.kind, $0.sqlState, $0.constraint, $0.statement?.description].map { $0 ?? "-" }.joined(separator: " ")
        }
    }
}
