internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

extension Failure {
    /// The messages from the failure to its root cause, each with its type if the application named one.
    var text: String {
        var parts: [String] = []
        var current: Failure? = self
        while let failure = current {
            if case .applicationFailureInfo(let info)? = failure.failureInfo, !info.type.isEmpty {
                parts.append("\(info.type): \(failure.message)")
            } else {
                parts.append(failure.message)
            }
            current = failure.cause
        }
        return parts.joined(separator: " <- ")
    }
}

extension ProtobufTimestamp {
    /// In RFC 3339 format, in UTC.
    func text(_ precision: RFC3339.Precision = .milliseconds) -> String {
        RFC3339.string(secondsSince1970: seconds, nanos: nanos, precision: precision)
    }
}

extension WorkflowExecutionStatus {
    /// As filters name it: `TimedOut`.
    var text: String { description.inCamelCase(without: "WORKFLOW_EXECUTION_STATUS_") }

    var color: Color? {
        switch self {
        case .completed: .green
        case .failed, .terminated, .timedOut: .red
        case .canceled: .yellow
        default: nil
        }
    }
}
