internal import SagamoreAPI
internal import SagamoreEngine
public import SagamoreProtobuf

/// The bytes of what a schedule has done. Field numbers are permanent; an unknown field is an error, since it may
/// matter.
extension ScheduleProgress {
    private enum Field {
        static let version = 1
        static let info = 2
        static let processedTo = 3
        static let manualCount = 4
        static let lastResult = 5
        static let lastFailure = 6
        // Repeated from here on.
        static let buffered = 10
        static let starting = 11
        static let running = 12
        static let backfill = 13
        static let requestID = 14
    }

    /// Encodes it.
    public var bytes: [UInt8] {
        var writer = ProtobufWriter(capacity: 512)
        // The writer goes from back to front.
        writer.string(Field.requestID, requestIDs)
        for backfill in backfills.reversed() {
            let end = writer.count
            writer.int32(4, omittingDefault: backfill.policy.rawValue)
            writer.int64(3, omittingDefault: backfill.end.nanoseconds)
            writer.int64(2, omittingDefault: backfill.doneTo.nanoseconds)
            writer.int64(1, omittingDefault: backfill.number)
            writer.lengthDelimited(Field.backfill, since: end)
        }
        for run in running.reversed() {
            let end = writer.count
            writer.int32(4, omittingDefault: run.wish.rawValue)
            writer.string(3, run.runID.description)
            writer.string(2, omittingDefault: run.workflowID)
            writer.string(1, run.startID)
            writer.lengthDelimited(Field.running, since: end)
        }
        for start in starting.reversed() {
            let end = writer.count
            writer.bool(9, omittingDefault: start.isTracked)
            writer.int64(8, omittingDefault: start.decidedAt.nanoseconds)
            writer.string(7, omittingDefault: start.workflowID)
            Self.write(start.due, to: &writer)
            writer.lengthDelimited(Field.starting, since: end)
        }
        for start in buffer.reversed() {
            let end = writer.count
            Self.write(start, to: &writer)
            writer.lengthDelimited(Field.buffered, since: end)
        }
        writer.message(Field.lastFailure, lastFailure)
        writer.message(Field.lastResult, lastResult)
        writer.int64(Field.manualCount, omittingDefault: manualCount)
        writer.int64(Field.processedTo, processedTo.nanoseconds)
        writer.message(Field.info, info)
        writer.int64(Field.version, version)
        return writer.bytes()
    }

    private static func write(_ start: DueStart, to writer: inout ProtobufWriter) {
        writer.bool(5, omittingDefault: start.isManual)
        writer.int32(4, omittingDefault: start.policy.rawValue)
        writer.int64(3, omittingDefault: start.scheduled.nanoseconds)
        writer.int64(2, omittingDefault: start.nominal.nanoseconds)
        writer.string(1, start.id)
    }

    /// Decodes what `bytes` returned.
    ///
    /// - Throws: for bytes that are none, or hold a field that this version does not know.
    public init(bytes: [UInt8]) throws(ProtobufError) {
        self = try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            var progress = ScheduleProgress(createdAt: Instant(nanoseconds: 0))
            while try reader.nextTag() != nil { try progress.readField(&reader) }
            return progress
        }
    }

    private mutating func readField(_ reader: inout ProtobufReader) throws(ProtobufError) {
        switch reader.fieldNumber {
        case Field.version: version = try reader.int64()
        case Field.info:
            var stored = ScheduleInfo()
            try reader.message(&stored)
            info = stored
        case Field.processedTo: processedTo = Instant(nanoseconds: try reader.int64())
        case Field.manualCount: manualCount = try reader.int64()
        case Field.lastResult: lastResult = RawMessage(uncheckedBytes: try reader.bytes())
        case Field.lastFailure: lastFailure = RawMessage(uncheckedBytes: try reader.bytes())
        case Field.requestID: requestIDs.append(try reader.string())
        case Field.buffered: buffer.append(try StoredFields(&reader, last: 5).dueStart())
        case Field.starting:
            let fields = try StoredFields(&reader, last: 9)
            starting.append(
                PendingStart(
                    due: try fields.dueStart(),
                    workflowID: fields.text(7),
                    decidedAt: Instant(nanoseconds: fields.number(8)),
                    isTracked: fields.number(9) != 0
                )
            )
        case Field.running:
            let fields = try StoredFields(&reader, last: 4)
            guard let runID = RunID(fields.text(3)),
                let wish = TrackedRun.Wish(rawValue: Int32(truncatingIfNeeded: fields.number(4)))
            else { throw .truncated }
            running.append(
                TrackedRun(startID: fields.text(1), workflowID: fields.text(2), runID: runID, wish: wish)
            )
        case Field.backfill:
            let fields = try StoredFields(&reader, last: 4)
            backfills.append(
                Backfill(
                    number: fields.number(1),
                    doneTo: Instant(nanoseconds: fields.number(2)),
                    end: Instant(nanoseconds: fields.number(3)),
                    policy: ScheduleOverlapPolicy(rawValue: Int32(truncatingIfNeeded: fields.number(4)))
                )
            )
        default: throw .invalidTag
        }
    }
}

/// The fields of a nested message, by number.
private struct StoredFields {
    private var numbers: [Int: Int64] = [:]
    private var texts: [Int: String] = [:]

    /// Reads the message that the reader is at.
    init(_ reader: inout ProtobufReader, last: Int) throws(ProtobufError) {
        let scope = try reader.enter()
        while try reader.nextTag() != nil {
            guard reader.fieldNumber <= last else { throw .invalidTag }
            if reader.wireType == .varint {
                numbers[reader.fieldNumber] = try reader.int64()
            } else {
                texts[reader.fieldNumber] = try reader.string()
            }
        }
        reader.leave(scope)
    }

    func number(_ field: Int) -> Int64 { numbers[field] ?? 0 }
    func text(_ field: Int) -> String { texts[field] ?? "" }

    func dueStart() throws(ProtobufError) -> DueStart {
        DueStart(
            id: text(1),
            nominal: Instant(nanoseconds: number(2)),
            scheduled: Instant(nanoseconds: number(3)),
            policy: ScheduleOverlapPolicy(rawValue: Int32(truncatingIfNeeded: number(4))),
            isManual: number(5) != 0
        )
    }
}
