internal import SagamoreAPI
public import SagamoreProtobuf

/// Encodes facts as protobuf. Each fact is a length-delimited field 1, so the bytes of two rows can be concatenated.
public enum FactCoding {
    /// Encodes one fact with its frame.
    static func frame(_ fact: Fact, afterEventID: Int64) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 256)
        write(fact, to: &writer)
        writer.int64(Field.afterEventID, afterEventID)
        writer.lengthDelimited(1, since: 0)
        return writer.bytes()
    }

    /// Decodes the facts of a row, in order. Unknown kinds are an error, because they may matter.
    public static func decode(_ bytes: [UInt8]) throws(ProtobufError) -> [RecordedFact] {
        try ProtobufReader.read(bytes, depth: storedDepth) { (reader) throws(ProtobufError) in
            var facts: [RecordedFact] = []
            var start = 0
            while try reader.nextTag() != nil {
                let scope = try reader.enter()
                let (fact, afterEventID) = try read(&reader)
                reader.leave(scope)
                let frame = Array(bytes[start..<reader.offset])
                facts.append(RecordedFact(fact, afterEventID: afterEventID, frame: frame))
                start = reader.offset
            }
            return facts
        }
    }

    enum Field {
        static let afterEventID = 1
        static let commandAccepted = 2
        static let activityStarted = 3
        static let activityReturned = 4
        static let activityRetry = 5
        static let eventBuffered = 6
        static let taskCompleted = 7
        static let taskRetried = 8
        static let requestSeen = 9
        static let updateRejected = 40
        static let debtSettled = 11
        static let commandInherited = 20
        static let scheduled = 21
        static let activityPaused = 50
        static let activityUnpaused = 51
        static let activityReset = 52
        static let activityOptionsChanged = 53
        static let runReset = 60
    }

    private static func write(_ fact: Fact, to writer: inout ProtobufWriter) {
        let end = writer.count
        switch fact {
        case .commandAccepted(let origin):
            write(origin, to: &writer)
            writer.lengthDelimited(Field.commandAccepted, since: end)
        case .commandInherited(let origin, let count):
            writer.int64(5, Int64(count))
            write(origin, to: &writer)
            writer.lengthDelimited(Field.commandInherited, since: end)
        case .activityStarted(let start):
            writer.fixed64(7, start.nonce)
            writer.string(6, start.buildID)
            writer.string(5, start.requestID)
            writer.string(4, start.identity)
            writer.int64(3, start.at.nanoseconds)
            writer.int32(2, start.attempt)
            writer.int64(1, start.scheduledEventID)
            writer.lengthDelimited(Field.activityStarted, since: end)
        case .activityReturned(let scheduledEventID, let attempt, let at):
            writer.int64(3, at.nanoseconds)
            writer.int32(2, attempt)
            writer.int64(1, scheduledEventID)
            writer.lengthDelimited(Field.activityReturned, since: end)
        case .activityRetryScheduled(let retry):
            if let at = retry.heartbeatAt { writer.int64(8, at.nanoseconds) }
            if let details = retry.heartbeatDetails { writer.bytes(7, details.bytes) }
            writer.string(6, retry.workerIdentity)
            if let failure = retry.failure { writer.bytes(5, failure.bytes) }
            writer.int64(4, retry.failedAt.nanoseconds)
            writer.int64(3, retry.at.nanoseconds)
            writer.int32(2, retry.attempt)
            writer.int64(1, retry.scheduledEventID)
            writer.lengthDelimited(Field.activityRetry, since: end)
        case .eventBuffered(let event):
            writer.message(Field.eventBuffered, event)
        case .workflowTaskCompleted(let completed):
            for id in completed.eagerActivities.reversed() { writer.int64(7, id) }
            writer.int64(6, completed.stickyScheduleToStart.nanoseconds)
            writer.string(5, completed.stickyQueue)
            writer.int64(4, completed.epoch)
            writer.fixed64(3, completed.nonce)
            writer.int64(2, completed.startedEventID)
            writer.int64(1, completed.scheduledEventID)
            writer.lengthDelimited(Field.taskCompleted, since: end)
        case .workflowTaskRetried(let attempt, let at):
            writer.int64(2, at.nanoseconds)
            writer.int32(1, attempt)
            writer.lengthDelimited(Field.taskRetried, since: end)
        case .requestSeen(let id):
            writer.string(Field.requestSeen, id)
        case .activityPaused, .activityUnpaused, .activityReset, .activityOptionsChanged:
            writeOperation(fact, to: &writer)
        case .updateRejected(let id):
            writer.string(Field.updateRejected, id)
        case .debtSettled(let eventID):
            writer.int64(1, eventID)
            writer.lengthDelimited(Field.debtSettled, since: end)
        case .runReset(let reset): write(reset, to: &writer)
        case .scheduled(let schedule):
            writer.string(3, schedule.startID)
            writer.string(2, schedule.instance.description)
            writer.string(1, schedule.scheduleID)
            writer.lengthDelimited(Field.scheduled, since: end)
        }
    }

    private static func write(_ origin: CommandOrigin, to writer: inout ProtobufWriter) {
        for header in origin.headers.reversed() {
            let end = writer.count
            writer.bytes(2, header.value)
            writer.string(1, header.name)
            writer.lengthDelimited(4, since: end)
        }
        writer.bytes(3, origin.correlation)
        writer.string(2, origin.eventsTopic)
        writer.string(1, origin.commandID)
    }

    private static func read(_ reader: inout ProtobufReader) throws(ProtobufError) -> (Fact, afterEventID: Int64) {
        var afterEventID: Int64 = 0
        var fact: Fact?
        while try reader.nextTag() != nil {
            switch reader.fieldNumber {
            case Field.afterEventID:
                afterEventID = try reader.int64()
            case Field.eventBuffered:
                var event = HistoryEvent()
                try reader.message(&event)
                fact = .eventBuffered(event)
            case Field.updateRejected:
                fact = .updateRejected(try reader.string())
            case Field.requestSeen:
                fact = .requestSeen(try reader.string())
            default:
                let field = reader.fieldNumber
                let scope = try reader.enter()
                fact = try readNested(field, &reader)
                reader.leave(scope)
            }
        }
        guard let fact else { throw .truncated }
        return (fact, afterEventID)
    }

    private static func write(_ reset: Fact.RunReset, to writer: inout ProtobufWriter) {
        let end = writer.count
        writer.string(2, reset.startRequestID)
        writer.string(1, reset.requestID)
        writer.lengthDelimited(Field.runReset, since: end)
    }

    private static func reset(_ values: FieldValues) throws(ProtobufError) -> Fact.RunReset {
        Fact.RunReset(requestID: try values.text(1), startRequestID: try values.text(2))
    }

    private static func schedule(_ values: FieldValues) throws(ProtobufError) -> Lineage.Schedule {
        guard let instance = RunID(try values.text(2)) else { throw .truncated }
        return Lineage.Schedule(scheduleID: try values.text(1), instance: instance, startID: try values.text(3))
    }

    private static func readNested(_ field: Int, _ reader: inout ProtobufReader) throws(ProtobufError) -> Fact {
        var values = FieldValues()
        try values.read(&reader, isCompletion: field == Field.taskCompleted)
        if let operation = try readOperation(field, values) { return operation }
        switch field {
        case Field.commandAccepted:
            return .commandAccepted(try values.origin())
        case Field.commandInherited:
            return .commandInherited(try values.origin(), publishedStatusEvents: Int(values.number(5)))
        case Field.activityStarted:
            return .activityStarted(
                Fact.ActivityStart(
                    scheduledEventID: values.number(1),
                    attempt: Int32(truncatingIfNeeded: values.number(2)),
                    at: Instant(nanoseconds: values.number(3)),
                    identity: try values.text(4),
                    requestID: try values.text(5),
                    buildID: try values.text(6),
                    nonce: UInt64(bitPattern: values.number(7))
                )
            )
        case Field.activityReturned:
            return .activityReturned(
                scheduledEventID: values.number(1),
                attempt: Int32(truncatingIfNeeded: values.number(2)),
                at: Instant(nanoseconds: values.number(3))
            )
        case Field.activityRetry:
            return .activityRetryScheduled(
                Fact.ActivityRetry(
                    scheduledEventID: values.number(1),
                    attempt: Int32(truncatingIfNeeded: values.number(2)),
                    at: Instant(nanoseconds: values.number(3)),
                    failedAt: Instant(nanoseconds: values.number(4)),
                    failure: values.bytes[5].map { RawMessage(uncheckedBytes: $0) },
                    workerIdentity: try values.text(6),
                    heartbeatDetails: values.bytes[7].map { RawMessage(uncheckedBytes: $0) },
                    heartbeatAt: values.numbers[8].map { Instant(nanoseconds: $0) }
                )
            )
        case Field.taskCompleted:
            return .workflowTaskCompleted(
                Fact.CompletedWorkflowTask(
                    scheduledEventID: values.number(1),
                    startedEventID: values.number(2),
                    nonce: UInt64(bitPattern: values.number(3)),
                    epoch: values.number(4),
                    stickyQueue: try values.text(5),
                    stickyScheduleToStart: Interval(nanoseconds: values.number(6)),
                    eagerActivities: values.repeatedNumbers
                )
            )
        case Field.taskRetried:
            return .workflowTaskRetried(
                attempt: Int32(truncatingIfNeeded: values.number(1)),
                at: Instant(nanoseconds: values.number(2))
            )
        case Field.debtSettled:
            return .debtSettled(eventID: values.number(1))
        case Field.runReset: return .runReset(try reset(values))
        case Field.scheduled: return .scheduled(try schedule(values))
        default:
            throw .invalidTag
        }
    }
}

/// The fields of one fact, by number.
struct FieldValues {
    var numbers: [Int: Int64] = [:]
    var bytes: [Int: [UInt8]] = [:]
    var repeatedNumbers: [Int64] = []
    var repeatedBytes: [[UInt8]] = []

    mutating func read(_ reader: inout ProtobufReader, isCompletion: Bool) throws(ProtobufError) {
        while try reader.nextTag() != nil {
            let field = reader.fieldNumber
            switch reader.wireType {
            case .varint where isCompletion && field == 7: repeatedNumbers.append(try reader.int64())
            case .varint: numbers[field] = try reader.int64()
            case .fixed64: numbers[field] = Int64(bitPattern: try reader.fixed64())
            case .lengthDelimited where field == 4:
                let value = try reader.bytes()
                bytes[field] = value
                repeatedBytes.append(value)
            case .lengthDelimited: bytes[field] = try reader.bytes()
            default: try reader.skip()
            }
        }
    }

    func number(_ field: Int) -> Int64 { numbers[field] ?? 0 }

    func text(_ field: Int) throws(ProtobufError) -> String {
        guard let bytes = bytes[field] else { return "" }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .truncated }
        return text
    }

    func origin() throws(ProtobufError) -> CommandOrigin {
        CommandOrigin(
            commandID: try text(1),
            eventsTopic: try text(2),
            correlation: bytes[3] ?? [],
            headers: try headers()
        )
    }

    func headers() throws(ProtobufError) -> [CommandOrigin.Header] {
        var headers: [CommandOrigin.Header] = []
        for header in repeatedBytes {
            let fields = try ProtobufReader.read(header) { (reader) throws(ProtobufError) in
                var fields = FieldValues()
                try fields.read(&reader, isCompletion: false)
                return fields
            }
            headers.append(CommandOrigin.Header(name: try fields.text(1), value: fields.bytes[2] ?? []))
        }
        return headers
    }
}
