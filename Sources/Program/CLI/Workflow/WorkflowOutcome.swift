internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// How a workflow ended.
struct WorkflowOutcome {
    private let event: HistoryEvent
    /// From the start to the end, as the command saw it; nil when it did not start the workflow.
    private let duration: Duration?

    init(_ event: HistoryEvent, took duration: Duration? = nil) {
        self.event = event
        self.duration = duration
    }

    /// - Throws: `CommandFailure` unless the workflow completed.
    func check() throws(CommandFailure) {
        guard event.eventType == .workflowExecutionCompleted else { throw CommandFailure("workflow failed") }
    }

    func text(isColored: Bool = Color.isOn) throws -> String {
        var properties = Properties()
        properties.add("RunTime", milliseconds.map { GoDuration.string(.milliseconds($0 / 10 * 10)) })
        properties.add("Status", status, color: event.eventType == .workflowExecutionCompleted ? .green : .red)
        properties.add("Result", try result()?.text)
        properties.add("Failure", try failure())
        return properties.text(title: "Results:", isColored: isColored)
    }

    /// - Parameter about: the members that name the workflow.
    func json(_ about: JSONObject) throws -> JSONValue {
        var object = about
        if let milliseconds { object["durationMillis"] = .number(JSONNumber(milliseconds)) }
        object["status"] = .string(status)
        object["closeEvent"] = try ProtobufJSON.value(of: event)
        if let values = try result()?.values() { object["result"] = values.count == 1 ? values[0] : .array(values) }
        return .object(object)
    }

    private var milliseconds: Int64? {
        guard let (seconds, attoseconds) = duration?.components else { return nil }
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    private var status: String {
        switch event.eventType {
        case .workflowExecutionCompleted: "COMPLETED"
        case .workflowExecutionFailed: "FAILED"
        case .workflowExecutionTimedOut: "TIMEOUT"
        case .workflowExecutionCanceled: "CANCELED"
        case .workflowExecutionTerminated: "TERMINATED"
        default: event.eventType.description
        }
    }

    /// What a completed workflow returned; nil when that is nothing.
    private func result() throws(ProtobufError) -> Payloads? {
        guard case .workflowExecutionCompletedEventAttributes(let attributes)? = event.attributes,
            let result = try attributes.result?.decoded(), !result.payloads.isEmpty
        else { return nil }
        return result
    }

    private func failure() throws(ProtobufError) -> String? {
        switch event.attributes {
        case .workflowExecutionFailedEventAttributes(let attributes)?: try attributes.failure?.decoded().text
        case .workflowExecutionCanceledEventAttributes(let attributes)?: try attributes.details?.decoded().text
        case .workflowExecutionTerminatedEventAttributes(let attributes)?: attributes.reason
        default: nil
        }
    }
}
