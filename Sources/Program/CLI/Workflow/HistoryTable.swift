internal import Foundation
internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Formats a history for people: a line for each event with its essential attributes.
struct HistoryTable {
    private var table: StreamingTable
    private let times: TimeFormat
    private var hasHeader = false
    private var steps = HistorySteps()

    /// - Parameter lineWidth: the terminal's width; nil shows attributes in full.
    init(lineWidth: Int?, times: TimeFormat = .iso) {
        self.times = times
        table = StreamingTable(
            [
                .init(title: "ID", width: 3), .init(title: times.title, width: times == .relative ? 8 : 23),
                .init(title: "TYPE", width: 30), .init(title: "DETAILS", width: 0),
            ],
            lineWidth: lineWidth
        )
    }

    /// The next events, below the header if they are the first.
    ///
    /// - Parameter events: in protobuf's JSON form.
    mutating func text(_ events: [JSONValue], isColored: Bool) -> String {
        var text = hasHeader ? "" : table.header(colors: isColored)
        hasHeader = true
        for event in events {
            let type = Self.typeName(event["eventType"])
            let cells = [
                event["eventId"]?.string ?? "", time(event["eventTime"]?.string ?? ""), type, details(event, type),
            ]
            text += table.row(cells, colors: Self.color(type).map { [2: $0] } ?? [:], isColored: isColored)
        }
        return text
    }

    /// Takes note of events that are shown in another order.
    mutating func learn(_ events: [JSONValue]) {
        for event in events { _ = details(event, Self.typeName(event["eventType"])) }
    }

    /// Converts `EVENT_TYPE_WORKFLOW_TASK_STARTED` to `WorkflowTaskStarted`.
    static func typeName(_ type: JSONValue?) -> String {
        guard let name = type?.string else { return type?.text() ?? "" }
        return name.inCamelCase(without: "EVENT_TYPE_")
    }

    private static func color(_ type: String) -> Color? {
        if type.hasSuffix("Failed") || type.hasSuffix("TimedOut") || type.hasSuffix("Terminated") { return .red }
        if type.hasSuffix("Canceled") || type.contains("CancelRequested") { return .yellow }
        if type == "WorkflowExecutionCompleted" || type == "ActivityTaskCompleted" { return .green }
        if type.hasPrefix("WorkflowTask") { return .faint }
        return nil
    }

    private func time(_ text: String) -> String { ProtobufTimestamp(rfc3339: text).map(times.cell) ?? text }

    /// The paths and labels of the shown attributes, in display order.
    private static let interesting: [(path: [String], label: String)] = [
        (["workflowType", "name"], "type"), (["activityType", "name"], "activity"), (["signalName"], "signal"),
        (["activityId"], "id"), (["timerId"], "timer"), (["markerName"], "marker"), (["taskQueue", "name"], "queue"),
        (["startToFireTimeout"], "after"), (["scheduledEventId"], "scheduled"), (["startedEventId"], "started"),
        (["attempt"], "attempt"), (["input"], "input"), (["result"], "result"), (["details"], "details"),
        (["failure"], "failure"), (["lastFailure"], "last failure"), (["reason"], "reason"), (["cause"], "cause"),
        (["timeoutType"], "timeout"), (["retryState"], "retry"), (["identity"], "by"),
    ]

    private mutating func details(_ event: JSONValue, _ type: String) -> String {
        guard let attributes = event.object?.members.first(where: { $0.key.hasSuffix("EventAttributes") })?.value else {
            return ""
        }
        var parts = steps.details(event, type: type, attributes)
        for (path, label) in Self.interesting {
            let found = path.reduce(Swift.Optional(attributes)) { value, key in value?[key] }
            guard let found, let text = Self.text(found, label) else { continue }
            parts.append("\(label)=\(text)")
        }
        return parts.joined(separator: " ")
    }

    /// The text of an attribute; nil when it is empty.
    private static func text(_ value: JSONValue, _ label: String) -> String? {
        switch label {
        case "attempt": return value.int64.flatMap { $0 > 1 ? String($0) : nil }
        case "input", "result", "details": return payloads(value)
        case "failure", "last failure": return failure(value)
        default: break
        }
        guard case .string(let text) = value, !text.isEmpty else { return value.string == nil ? value.text() : nil }
        for prefix in ["RETRY_STATE_", "TIMEOUT_TYPE_", "WORKFLOW_TASK_FAILED_CAUSE_"] where text.hasPrefix(prefix) {
            return text.dropFirst(prefix.count).lowercased()
        }
        return text.contains(" ") ? JSONValue.string(text).text() : text
    }

    /// Shows JSON payloads as JSON, and others by their size.
    private static func payloads(_ value: JSONValue) -> String? {
        guard let payloads = value["payloads"]?.array, !payloads.isEmpty else { return nil }
        return payloads.map { payload($0).text }.joined(separator: ",")
    }

    /// A payload by its JSON form.
    static func payload(_ value: JSONValue) -> Payload {
        func decoded(_ text: String?) -> [UInt8] { text.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) } ?? [] }
        var payload = Payload()
        payload.metadata["encoding"] = decoded(value["metadata"]?["encoding"]?.string)
        payload.data = decoded(value["data"]?.string)
        return payload
    }

    private static func failure(_ value: JSONValue) -> String {
        var parts: [String] = []
        var current: JSONValue? = value
        while let failure = current {
            let type = failure["applicationFailureInfo"]?["type"]?.string
            let message = failure["message"]?.string ?? ""
            parts.append(type.map { "\($0): \(message)" } ?? message)
            current = failure["cause"]
        }
        return JSONValue.string(parts.joined(separator: " <- ")).text()
    }
}
