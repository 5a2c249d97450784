internal import SagamoreAPI
internal import SagamoreJSONText

/// Failures in events: `{"type","message","cause"}`.
///
/// For failures of workflow and activity code `type` is the application's own, or `ApplicationFailure` if it has none.
/// Otherwise it names the kind of failure: `Timeout`, `Cancelled`, `Terminated`, `ServerFailure`,
/// `ResetWorkflow`, `ActivityFailure` and `ChildWorkflowFailure` (around the cause), `NexusOperationFailure`,
/// `NexusHandlerFailure`, and `Failure` for an unknown kind.
enum FailureJSON {
    /// The maximum number of nested causes.
    static let causeLimit = 50

    static func append(_ failure: Failure, causes: Int, textLimit: Int?, to json: inout JSONWriter) {
        json.beginObject()
        json.key("type")
        json.string(shortened(type(of: failure), textLimit))
        json.key("message")
        json.string(shortened(failure.message, textLimit))
        if causes > 0, let cause = failure.cause {
            json.key("cause")
            append(cause, causes: causes - 1, textLimit: textLimit, to: &json)
        }
        json.endObject()
    }

    static func append(type: String, message: String, to json: inout JSONWriter) {
        json.beginObject()
        json.key("type")
        json.string(type)
        json.key("message")
        json.string(message)
        json.endObject()
    }

    static func type(of failure: Failure) -> String {
        switch failure.failureInfo {
        case .applicationFailureInfo(let info): info.type.isEmpty ? "ApplicationFailure" : info.type
        case .timeoutFailureInfo: "Timeout"
        case .canceledFailureInfo: "Cancelled"
        case .terminatedFailureInfo: "Terminated"
        case .serverFailureInfo: "ServerFailure"
        case .resetWorkflowFailureInfo: "ResetWorkflow"
        case .activityFailureInfo: "ActivityFailure"
        case .childWorkflowExecutionFailureInfo: "ChildWorkflowFailure"
        case .nexusOperationExecutionFailureInfo: "NexusOperationFailure"
        case .nexusHandlerFailureInfo: "NexusHandlerFailure"
        case nil: "Failure"
        }
    }

    /// The array of compensations, which is the first detail of a saga's failure.
    static func compensations(of failure: Failure) -> [UInt8]? {
        guard case .applicationFailureInfo(let info) = failure.failureInfo,
            info.type == "SagaCompensated" || info.type == "SagaCompensationFailed",
            let first = info.details?.payloads.first
        else { return nil }
        return PayloadJSON.array(encoding: first.metadata["encoding"] ?? [], data: first.data)
    }

    /// The text; if it is longer than `limit` bytes, its beginning and its original size.
    static func shortened(_ text: String, _ limit: Int?) -> String {
        guard let limit, text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return text[..<end] + "… (shortened, \(text.utf8.count) bytes)"
    }
}
