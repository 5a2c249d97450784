internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// An event of a history, as far as a script needs it: decoding all of each event would take most of a simulation's
/// time.
struct ScriptEvent {
    let id: Int64
    let kind: Kind

    enum Kind {
        case workflowStarted(input: [UInt8])
        case signaled(name: [UInt8], requestID: [UInt8])
        case cancelRequested
        /// The workflow task's events. A task that failed or timed out is lost.
        case taskScheduled, taskStarted, taskLost
        case taskCompleted(startedEventID: Int64)
        case activityScheduled(sequence: Int, input: [UInt8])
        case activityStarted
        case activityEnded(scheduledEventID: Int64, ActivityEnd)
        case activityCancelRequested(scheduledEventID: Int64)
        case timerStarted(sequence: Int, Interval)
        case timerFired(sequence: Int)
        case timerCanceled(sequence: Int)
        case marker(value: [UInt8])
        case memo([UInt8])
        case childInitiated(workflowID: [UInt8], input: [UInt8])
        case childStartFailed(initiatedEventID: Int64)
        case childEnded(initiatedEventID: Int64, isCompleted: Bool)
        case childCancelInitiated(workflowID: [UInt8])
        case signalInitiated(workflowID: [UInt8], name: [UInt8])
        /// A signal to another workflow has arrived, or cannot arrive.
        case signalSettled(initiatedEventID: Int64, hasArrived: Bool)
        /// News of a child or a cancel request for which no code waits.
        case childNews
        case updateAccepted(id: [UInt8])
        case updateCompleted(id: [UInt8])
        case closed(RunEnd)
        case other(EventType)
    }

    enum ActivityEnd: Equatable { case completed, failed, timedOut, canceled }

    /// Decodes the events of encoded frames of `History.events`.
    static func decode(_ frames: [UInt8]) throws(ProtobufError) -> [ScriptEvent] {
        try ProtobufReader.read(frames) { (reader) throws(ProtobufError) in
            var events: [ScriptEvent] = []
            events.reserveCapacity(frames.count / 80)
            while try reader.nextTag() != nil {
                let scope = try reader.enter()
                events.append(try ScriptEvent(&reader))
                reader.leave(scope)
            }
            return events
        }
    }

    /// Attributes of the event as they are read, by what they are called in most events.
    fileprivate struct Fields {
        var sequence = 0
        var number: Int64 = 0
        var name: [UInt8] = []
        var data: [UInt8] = []
        var requestID: [UInt8] = []
        var interval = Interval.zero
    }

    init(id: Int64, kind: Kind) {
        self.id = id
        self.kind = kind
    }

    private init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        var id: Int64 = 0
        var type = EventType.unspecified
        var fields = Fields()
        while let tag = try reader.nextTag() {
            switch tag {
            case 8: id = try reader.int64()
            case 24: type = EventType(rawValue: try reader.int32())
            default:
                guard reader.wireType == .lengthDelimited, reader.fieldNumber >= 6, reader.fieldNumber < 300 else {
                    try reader.skip()
                    continue
                }
                let scope = try reader.enter()
                try fields.read(type, &reader)
                reader.leave(scope)
            }
        }
        self.id = id
        kind = Self.kind(type, fields)
    }

    private static func kind(_ type: EventType, _ fields: Fields) -> Kind {
        switch type {
        case .workflowExecutionStarted: .workflowStarted(input: fields.data)
        case .workflowExecutionSignaled: .signaled(name: fields.name, requestID: fields.requestID)
        case .workflowExecutionCancelRequested: .cancelRequested
        case .workflowTaskScheduled: .taskScheduled
        case .workflowTaskStarted: .taskStarted
        case .workflowTaskFailed, .workflowTaskTimedOut: .taskLost
        case .workflowTaskCompleted: .taskCompleted(startedEventID: fields.number)
        case .activityTaskScheduled: .activityScheduled(sequence: fields.sequence, input: fields.data)
        case .activityTaskStarted: .activityStarted
        case .activityTaskCompleted: .activityEnded(scheduledEventID: fields.number, .completed)
        case .activityTaskFailed: .activityEnded(scheduledEventID: fields.number, .failed)
        case .activityTaskTimedOut: .activityEnded(scheduledEventID: fields.number, .timedOut)
        case .activityTaskCanceled: .activityEnded(scheduledEventID: fields.number, .canceled)
        case .activityTaskCancelRequested: .activityCancelRequested(scheduledEventID: fields.number)
        case .timerStarted: .timerStarted(sequence: fields.sequence, fields.interval)
        case .timerFired: .timerFired(sequence: fields.sequence)
        case .timerCanceled: .timerCanceled(sequence: fields.sequence)
        case .markerRecorded: .marker(value: fields.data)
        case .workflowPropertiesModified: .memo(fields.data)
        case .startChildWorkflowExecutionInitiated: .childInitiated(workflowID: fields.name, input: fields.data)
        case .startChildWorkflowExecutionFailed: .childStartFailed(initiatedEventID: fields.number)
        case .childWorkflowExecutionCompleted: .childEnded(initiatedEventID: fields.number, isCompleted: true)
        case .childWorkflowExecutionFailed, .childWorkflowExecutionCanceled, .childWorkflowExecutionTimedOut,
            .childWorkflowExecutionTerminated:
            .childEnded(initiatedEventID: fields.number, isCompleted: false)
        case .requestCancelExternalWorkflowExecutionInitiated: .childCancelInitiated(workflowID: fields.name)
        case .signalExternalWorkflowExecutionInitiated: .signalInitiated(workflowID: fields.name, name: fields.data)
        case .externalWorkflowExecutionSignaled: .signalSettled(initiatedEventID: fields.number, hasArrived: true)
        case .signalExternalWorkflowExecutionFailed: .signalSettled(initiatedEventID: fields.number, hasArrived: false)
        case .childWorkflowExecutionStarted, .externalWorkflowExecutionCancelRequested,
            .requestCancelExternalWorkflowExecutionFailed:
            .childNews
        case .workflowExecutionUpdateAccepted: .updateAccepted(id: fields.name)
        case .workflowExecutionUpdateCompleted: .updateCompleted(id: fields.name)
        case .workflowExecutionCompleted: .closed(.completed)
        case .workflowExecutionFailed: .closed(.failed)
        case .workflowExecutionTimedOut: .closed(.timedOut)
        case .workflowExecutionCanceled: .closed(.canceled)
        case .workflowExecutionTerminated: .closed(.terminated)
        case .workflowExecutionContinuedAsNew: .closed(.continuedAsNew)
        default: .other(type)
        }
    }
}

extension ScriptEvent.Fields {
    /// Reads the attributes of an event of this type. The type precedes them.
    fileprivate mutating func read(_ type: EventType, _ reader: inout ProtobufReader) throws(ProtobufError) {
        while let tag = try reader.nextTag() {
            switch (type, tag) {
            case (.workflowExecutionStarted, 50), (.activityTaskScheduled, 50): data = try payload(&reader)
            case (.workflowExecutionSignaled, 10), (.workflowExecutionUpdateAccepted, 10): name = try reader.bytes()
            case (.workflowExecutionUpdateCompleted, 10):
                let scope = try reader.enter()
                while let tag = try reader.nextTag() {
                    if tag == 10 { name = try reader.bytes() } else { try reader.skip() }
                }
                reader.leave(scope)
            case (.workflowExecutionSignaled, 58): requestID = try reader.bytes()
            case (.workflowTaskCompleted, 16): number = try reader.int64()
            case (.activityTaskScheduled, 10): sequence = try decimal(&reader)
            case (.activityTaskCompleted, 16), (.activityTaskFailed, 16), (.activityTaskTimedOut, 16),
                (.activityTaskCanceled, 24), (.activityTaskCancelRequested, 8):
                number = try reader.int64()
            case (.timerStarted, 10), (.timerFired, 10), (.timerCanceled, 10): sequence = try decimal(&reader)
            case (.timerStarted, 18):
                var duration = ProtobufDuration()
                try reader.message(&duration)
                interval = Interval(duration)
            case (.startChildWorkflowExecutionInitiated, 18): name = try reader.bytes()
            case (.startChildWorkflowExecutionInitiated, 42): data = try payload(&reader)
            case (.startChildWorkflowExecutionFailed, 48), (.childWorkflowExecutionCompleted, 40),
                (.childWorkflowExecutionFailed, 40), (.childWorkflowExecutionCanceled, 40),
                (.childWorkflowExecutionTimedOut, 32), (.childWorkflowExecutionTerminated, 32):
                number = try reader.int64()
            case (.signalExternalWorkflowExecutionInitiated, 34): data = try reader.bytes()
            case (.externalWorkflowExecutionSignaled, 8), (.signalExternalWorkflowExecutionFailed, 40):
                number = try reader.int64()
            case (.requestCancelExternalWorkflowExecutionInitiated, 26),
                (.signalExternalWorkflowExecutionInitiated, 26):
                var execution = WorkflowExecution()
                try reader.message(&execution)
                name = Array(execution.workflowID.utf8)
            // A marker has one detail, so the bytes of its only map entry tell which.
            case (.markerRecorded, 18), (.workflowPropertiesModified, 18): data = try reader.bytes()
            default: try reader.skip()
            }
        }
    }

    private func payload(_ reader: inout ProtobufReader) throws(ProtobufError) -> [UInt8] {
        let scope = try reader.enter()
        let data = try reader.data()
        reader.leave(scope)
        return data ?? []
    }

    /// Reads a decimal number; -1 when it is none.
    private func decimal(_ reader: inout ProtobufReader) throws(ProtobufError) -> Int {
        var value = 0
        for byte in try reader.slice() {
            guard byte >= 0x30, byte <= 0x39, value < 1_000_000 else { return -1 }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}

extension WorkflowScript {
    /// The script of a run with this history: encoded frames of `History.events`, from the first one on.
    public init?(history frames: [UInt8]) {
        guard case .workflowStarted(let input)? = (try? ScriptEvent.decode(frames))?.first?.kind else { return nil }
        self.init(input: input)
    }
}
