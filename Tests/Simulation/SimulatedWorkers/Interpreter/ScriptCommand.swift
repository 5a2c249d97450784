internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// A command that a script has issued, until its event confirms it.
enum ScriptCommand: Equatable {
    case schedule(sequence: Int, ActivityInput, isEager: Bool)
    case cancelActivity(scheduledEventID: Int64)
    case startTimer(sequence: Int, Interval)
    case cancelTimer(sequence: Int)
    case marker(Int)
    case memo(Int)
    case startChild(sequence: Int, number: Int, WorkflowScript)
    case cancelChild(number: Int)
    case tell(sequence: Int, number: Int, signal: Int)
    case close(RunEnd)

    /// Whether an event is the one that this command causes; nil for an event that no command causes.
    func causes(_ event: ScriptEvent) -> Bool? {
        switch (event.kind, self) {
        case (.activityScheduled(let sequence, let input), .schedule(let own, let ownInput, _)):
            sequence == own && input == ownInput.bytes
        case (.activityCancelRequested(let id), .cancelActivity(let own)): id == own
        case (.timerStarted(let sequence, let interval), .startTimer(let own, let ownInterval)):
            sequence == own && interval == ownInterval
        case (.timerCanceled(let sequence), .cancelTimer(let own)): sequence == own
        case (.marker(let value), .marker(let own)): value == Self.markerEntry(own)
        case (.memo(let value), .memo(let own)): value == Self.memo(own).bytes
        case (.childInitiated(let workflowID, let input), .startChild(_, let number, let script)):
            workflowID == Array(WorkflowScript.childID(number).utf8) && input == script.bytes
        case (.childCancelInitiated(let workflowID), .cancelChild(let number)):
            workflowID == Array(WorkflowScript.childID(number).utf8)
        case (.signalInitiated(let workflowID, let name), .tell(_, let number, let signal)):
            workflowID == Array(WorkflowScript.childID(number).utf8)
                && name == Array(WorkflowScript.signalName(signal).utf8)
        case (.closed(let end), .close(let own)): end == own
        default: event.isCaused ? false : nil
        }
    }

    /// The detail of a marker as the entry of a map.
    private static func markerEntry(_ value: Int) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 32)
        writer.lengthDelimited(2, RawMessage<Payloads>(data: number(value)).bytes)
        writer.string(1, detailName)
        return writer.bytes()
    }

    static func memo(_ value: Int) -> RawMessage<Memo> {
        var writer = ProtobufWriter(capacity: 32)
        writer.bytes(2, number(value))
        writer.lengthDelimited(2, since: 0)
        writer.string(1, detailName)
        writer.lengthDelimited(1, since: 0)
        return RawMessage(uncheckedBytes: writer.bytes())
    }

    static func number(_ value: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: 4)
        writer.number(value)
        return writer.bytes
    }

    static let detailName = "value"
}

extension ScriptEvent {
    /// Whether a command causes events of this kind.
    var isCaused: Bool {
        switch kind {
        case .activityScheduled, .activityCancelRequested, .timerStarted, .timerCanceled, .marker, .memo,
            .childInitiated, .childCancelInitiated, .signalInitiated:
            true
        case .closed(let end): end.isOwn
        default: false
        }
    }
}

/// Small numbers as text. Ids of activities and timers are needed all the time.
enum Decimal {
    private static let texts = (0..<256).map { String($0) }

    static func text(_ number: Int) -> String { texts.indices.contains(number) ? texts[number] : String(number) }
}
