internal import SagamoreAPI
internal import SagamoreProtobuf

/// The format of a snapshot is unknown to this program: a newer one wrote it.
public struct UnknownSnapshotFormat: Error, Equatable, CustomStringConvertible {
    /// The snapshot's format.
    public let format: Int16

    public var description: String {
        "the snapshot has format \(format), and this program reads up to format \(DurableStateCoding.format)"
    }
}

extension DurableStateCoding {
    /// Decodes what `encode` returned.
    ///
    /// - Throws: `UnknownSnapshotFormat` for bytes in another form, `ProtobufError` for bytes that are no state, or
    ///   hold a field that this version does not know.
    public static func decode(_ bytes: [UInt8], format: Int16) throws -> DurableState {
        // Format 1 is this one without its newer fields.
        guard (1...Self.format).contains(format) else { throw UnknownSnapshotFormat(format: format) }
        return try ProtobufReader.read(bytes, depth: storedDepth) { (reader) throws(ProtobufError) in
            var state = DurableState()
            var fields = StoredFields(last: Field.last, gaps: Field.gaps)
            while try reader.nextTag() != nil {
                if try !readRepeated(&reader, into: &state) { try fields.read(&reader) }
            }
            try fill(&state, from: fields)
            return state
        }
    }

    /// Reads an element of a repeated field; returns false for any other field.
    private static func readRepeated(
        _ reader: inout ProtobufReader,
        into state: inout DurableState
    ) throws(ProtobufError) -> Bool {
        switch reader.fieldNumber {
        case Field.activity:
            let activity = try activity(StoredFields(message: &reader, last: lastActivityField))
            state.activities[activity.scheduledEventID] = activity
            state.activityIDs[ExactText(activity.activityID)] = activity.scheduledEventID
        case Field.timer:
            let fields = try StoredFields(message: &reader, last: 3)
            let timer = PendingTimer(
                startedEventID: fields.number(1),
                timerID: try fields.text(2),
                fireAt: Instant(nanoseconds: fields.number(3))
            )
            state.timers[timer.startedEventID] = timer
            state.timerIDs[ExactText(timer.timerID)] = timer.startedEventID
        case Field.bufferedEvent: try reader.message(&state.bufferedEvents)
        case Field.attachedRequestID:
            let fields = try StoredFields(message: &reader, last: 2)
            state.attachedRequestIDs[ExactText(try fields.text(2))] = fields.number(1)
        case Field.update:
            let fields = try StoredFields(message: &reader, last: 3)
            let accepted = fields.number(3)
            state.updates[ExactText(try fields.text(1))] =
                accepted > 0 ? .accepted(eventID: accepted) : .admitted(eventID: fields.number(2))
        case Field.completedUpdate:
            let fields = try StoredFields(message: &reader, last: 2)
            state.completedUpdates[ExactText(try fields.text(1))] = fields.number(2)
        case Field.requestID: state.requestIDs.insert(ExactText(try reader.string()))
        case Field.workflowTask:
            let fields = try StoredFields(message: &reader, last: 5)
            // A task without an event is a later attempt: a speculative one is not stored.
            state.workflowTask = WorkflowTask(
                form: fields.number(1) == 0 ? .transient : .written,
                scheduledEventID: fields.number(1),
                attempt: Int32(truncatingIfNeeded: fields.number(2)),
                scheduledAt: Instant(nanoseconds: fields.number(3)),
                stickyQueue: try fields.text(4),
                afterEventID: fields.number(5)
            )
        case Field.build: state.builds.append(try build(StoredFields(message: &reader, last: 5)))
        case Field.earlierResetPoint: try reader.message(&state.earlierResetPoints)
        default: return try readChildOrOther(&reader, into: &state)
        }
        return true
    }

    private static func build(_ fields: StoredFields) throws(ProtobufError) -> WorkerBuild {
        WorkerBuild(
            id: try fields.text(1),
            binaryChecksum: try fields.text(2),
            completedEventID: fields.number(3),
            completedAt: Instant(nanoseconds: fields.number(4)),
            isResettable: fields.number(5) != 0
        )
    }

    private static func fill(_ state: inout DurableState, from fields: StoredFields) throws(ProtobufError) {
        state.workflowType = try fields.text(Field.workflowType)
        state.taskQueue = try fields.text(Field.taskQueue)
        state.startedAt = Instant(nanoseconds: fields.number(Field.startedAt))
        state.startRequestID = try fields.text(Field.startRequestID)
        state.firstRunID = try fields.text(Field.firstRunID)
        state.executionTimeout = Interval(nanoseconds: fields.number(Field.executionTimeout))
        state.runTimeout = Interval(nanoseconds: fields.number(Field.runTimeout))
        state.taskTimeout = Interval(nanoseconds: fields.number(Field.taskTimeout))
        state.memo = fields.message(Field.memo)
        state.searchAttributes = fields.message(Field.searchAttributes)
        if let bytes = fields.bytes(Field.priority) { state.priority = try Priority(serializedBytes: bytes) }
        if case .commandAccepted(let origin)? = try fields.fact(Field.origin) { state.origin = origin }
        try fill(chainOf: &state, from: fields)
        state.status = WorkflowExecutionStatus(rawValue: Int32(truncatingIfNeeded: fields.number(Field.status)))
        state.closedAt = fields.instant(Field.closedAt)
        state.cancelRequested = fields.number(Field.cancelRequested) != 0
        state.lastEventID = fields.number(Field.lastEventID)
        state.historyBytes = fields.number(Field.historyBytes)
        state.factCount = fields.number(Field.factCount)
        state.factBytes = fields.number(Field.factBytes)
        state.firstTaskBackoff = Interval(nanoseconds: fields.number(Field.firstTaskBackoff))
        state.firstTaskDueAt = fields.instant(Field.firstTaskDueAt)
        state.previousStartedEventID = fields.number(Field.previousStartedEventID)
        if case .workflowTaskCompleted(let completed)? = try fields.fact(Field.completedTask) {
            state.completedTask = completed
        }
        if case .scheduled(let schedule)? = try fields.fact(Field.schedule) { state.schedule = schedule }
        state.stickyQueue = try fields.text(Field.stickyQueue)
        state.stickyScheduleToStart = Interval(nanoseconds: fields.number(Field.stickyScheduleToStart))
        state.closeWasRefused = fields.number(Field.closeWasRefused) != 0
        state.bufferedBytes = Int(fields.number(Field.bufferedBytes))
        state.signalCount = Int(fields.number(Field.signalCount))
        state.latestBuild = Int(fields.number(Field.latestBuild))
        state.lastResetAt = fields.instant(Field.lastResetAt)
        state.originalStartedAt = fields.instant(Field.originalStartedAt)
        state.resetRequestID = try fields.text(Field.resetRequestID)
    }
}

/// The fields of a stored message that occur once, by number.
struct StoredFields {
    private var numbers: [Int64?]
    private var values: [[UInt8]?]
    private let gaps: [ClosedRange<Int>]

    /// - Parameters:
    ///   - last: the highest field that is known.
    ///   - gaps: lower fields that are not.
    init(last: Int, gaps: [ClosedRange<Int>] = []) {
        self.gaps = gaps
        numbers = Array(repeating: nil, count: last + 1)
        values = Array(repeating: nil, count: last + 1)
    }

    /// Reads the message that the reader is at.
    init(message reader: inout ProtobufReader, last: Int) throws(ProtobufError) {
        self.init(last: last)
        let scope = try reader.enter()
        while try reader.nextTag() != nil { try read(&reader) }
        reader.leave(scope)
    }

    mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
        let field = reader.fieldNumber
        guard field < numbers.count, !gaps.contains(where: { $0.contains(field) }) else { throw .invalidTag }
        switch reader.wireType {
        case .varint: numbers[field] = try reader.int64()
        case .fixed64: numbers[field] = Int64(bitPattern: try reader.fixed64())
        case .lengthDelimited: values[field] = try reader.bytes()
        default: throw .invalidWireType(field: field)
        }
    }

    func number(_ field: Int) -> Int64 { numbers[field] ?? 0 }
    func instant(_ field: Int) -> Instant? { numbers[field].map { Instant(nanoseconds: $0) } }
    func bytes(_ field: Int) -> [UInt8]? { values[field] }
    func message<Message>(_ field: Int) -> RawMessage<Message>? { values[field].map { RawMessage(uncheckedBytes: $0) } }

    func text(_ field: Int) throws(ProtobufError) -> String {
        guard let bytes = values[field] else { return "" }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8(field: field) }
        return text
    }

    func fact(_ field: Int) throws(ProtobufError) -> Fact? {
        guard let bytes = values[field] else { return nil }
        return try FactCoding.decode(bytes).first?.fact
    }
}
