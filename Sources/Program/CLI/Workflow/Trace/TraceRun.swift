internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// A run in a trace, with its children.
struct TraceRun {
    /// A run by its names.
    struct Name: Hashable {
        var namespace: String
        var workflowID: String
        var runID: String
    }

    var name: Name
    var type = ""
    /// Nil for a child that has not begun, or could not.
    var status: WorkflowExecutionStatus?
    var startTime: ProtobufTimestamp?
    var closeTime: ProtobufTimestamp?
    /// Why it failed, or could not begin.
    var failure: String?
    /// The run that it continues as.
    var nextRunID: String?
    /// How many runs it took, with those that it continued from.
    var runCount = 1
    /// Whether its children are left out.
    var isFolded = false
    var children: [TraceRun] = []

    /// A run by the events of its history, with children as far as these tell about them.
    init(_ name: Name, _ events: [HistoryEvent]) throws {
        self.name = name
        status = .running
        var children: [Int64: TraceRun] = [:]
        var order: [Int64] = []
        for event in events {
            if let (id, child) = try Self.child(event, in: name.namespace) {
                if let known = children[id] {
                    children[id] = known.merged(with: child)
                } else {
                    order.append(id)
                    children[id] = child
                }
            } else {
                try note(event)
            }
        }
        self.children = order.compactMap { children[$0] }
    }

    // MARK: Its own events

    private mutating func note(_ event: HistoryEvent) throws {
        if case .workflowExecutionStartedEventAttributes(let start)? = event.attributes {
            type = start.workflowType?.name ?? ""
            startTime = event.eventTime
            return
        }
        guard let end = Self.ends[event.eventType] else { return }
        status = end
        closeTime = event.eventTime
        switch event.attributes {
        case .workflowExecutionCompletedEventAttributes(let end)?: nextRunID = end.newExecutionRunID
        case .workflowExecutionFailedEventAttributes(let end)?:
            failure = try end.failure?.decoded().text
            nextRunID = end.newExecutionRunID
        case .workflowExecutionTimedOutEventAttributes(let end)?: nextRunID = end.newExecutionRunID
        case .workflowExecutionTerminatedEventAttributes(let end)?: failure = end.reason
        case .workflowExecutionContinuedAsNewEventAttributes(let end)?: nextRunID = end.newExecutionRunID
        default: break
        }
        if nextRunID?.isEmpty == true { nextRunID = nil }
        if failure?.isEmpty == true { failure = nil }
    }

    private static let ends: [EventType: WorkflowExecutionStatus] = [
        .workflowExecutionCompleted: .completed, .workflowExecutionFailed: .failed,
        .workflowExecutionCanceled: .canceled, .workflowExecutionTerminated: .terminated,
        .workflowExecutionTimedOut: .timedOut, .workflowExecutionContinuedAsNew: .continuedAsNew,
    ]

    // MARK: JSON

    var json: JSONValue {
        var object = JSONObject()
        object["workflowId"] = .string(name.workflowID)
        if !name.runID.isEmpty { object["runId"] = .string(name.runID) }
        object["type"] = .string(type)
        if let status { object["status"] = .string(status.text) }
        if let startTime { object["startTime"] = .string(startTime.text(.nanoseconds)) }
        if let closeTime { object["closeTime"] = .string(closeTime.text(.nanoseconds)) }
        if let failure { object["failure"] = .string(failure) }
        if runCount > 1 { object["runs"] = .number(JSONNumber(runCount)) }
        if isFolded { object["folded"] = true }
        if !children.isEmpty { object["children"] = .array(children.map(\.json)) }
        return .object(object)
    }
}
