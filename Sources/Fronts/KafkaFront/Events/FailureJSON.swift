internal import SagamoreAPI
internal import SagamoreJSONText

/// Failures as users see them: `{"type","message","cause"}`.
///
/// `type` is the application's own for what workflow and activity code raised (`ApplicationFailure` where it gave
/// none); else it says what the service saw: `Timeout`, `Cancelled`, `Terminated`, `ServerFailure`,
/// `ResetWorkflow`, `ActivityFailure` and `ChildWorkflowFailure` (around the cause), `NexusOperationFailure`,
/// `NexusHandlerFailure`, and `Failure` for a kind that is not known here.
enum FailureJSON {
    /// Causes below a failure that are written at most.
    static let mostCauses = 50

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

    /// The array that a saga's failure has as its first detail.
    static func compensations(of failure: Failure) -> [UInt8]? {
        guard case .applicationFailureInfo(let info) = failure.failureInfo,
            info.type == "SagaCompensated" || info.type == "SagaCompensationFailed",
            let first = info.details?.payloads.first
        else { return nil }
        return PayloadJSON.array(encoding: first.metadata["encoding"] ?? [], data: first.data)
    }

    /// The text, or its beginning and how much of it there was.
    static func shortened(_ text: String, _ limit: Int?) -> String {
        guard let limit, text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return text[..<end] + "… (shortened, \(text.utf8.count) bytes)"
    }
}
