public import SagamoreAPI
public import SagamoreProtobuf

/// Why a request was refused: a status that clients of the contract know, a message, and a detail that SDKs map to
/// their own errors.
public struct RequestError: Error, Sendable, CustomStringConvertible {
    /// The status; the same words as gRPC's codes.
    public enum Code: Sendable, Hashable {
        case invalidArgument, notFound, alreadyExists, failedPrecondition, permissionDenied
        case resourceExhausted, unavailable, unimplemented, deadlineExceeded, cancelled, internalError
    }

    /// What rides beside the status, for SDKs that turn it into a typed error.
    public enum Detail: Sendable {
        case workflowAlreadyStarted(runID: RunID, startRequestID: String)
        /// Also of a task that is not there (any more): what is missing is only in the message.
        case workflowNotFound
        case namespaceNotFound(String)
        case namespaceAlreadyExists
        case workflowNotReady
        case queryFailed(RawMessage<Failure>?)
        case systemWorkflowTaskFailed
    }

    public let code: Code
    public let message: String
    public let detail: Detail?

    public init(_ code: Code, _ message: String, detail: Detail? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
    }

    public var description: String { "\(code): \(message)" }

    public static func invalidArgument(_ message: String) -> RequestError { RequestError(.invalidArgument, message) }

    public static func workflowNotFound(_ workflowID: String) -> RequestError {
        RequestError(.notFound, "workflow not found for ID: \(workflowID)", detail: .workflowNotFound)
    }

    public static func runNotFound(_ workflowID: String, _ runID: RunID) -> RequestError {
        let message = "workflow execution not found for workflow ID \"\(workflowID)\" and run ID \"\(runID)\""
        return RequestError(.notFound, message, detail: .workflowNotFound)
    }

    /// A run that belongs to another chain than the request says.
    public static let chainNotFound = RequestError(
        .notFound,
        "workflow execution not found",
        detail: .workflowNotFound
    )

    /// A query of a run that no worker has ever seen, and none will.
    public static let closedBeforeFirstTask = RequestError(
        .failedPrecondition,
        "Workflow execution closed before WorkflowTaskStarted event",
        detail: .workflowNotReady
    )

    /// A query of a run whose start delay is not over.
    public static let workflowTaskNotScheduled = RequestError(
        .failedPrecondition,
        "Workflow task is not scheduled yet.",
        detail: .workflowNotReady
    )

    /// A query of a run whose code fails its workflow task again and again.
    public static let workflowTaskKeepsFailing = RequestError(
        .failedPrecondition,
        "Unable to query workflow due to Workflow Task in failed state.",
        detail: .workflowNotReady
    )

    public static let workflowClosed = RequestError(
        .notFound,
        "workflow execution already completed",
        detail: .workflowNotFound
    )

    /// A signal to a run whose code has ended, and has to see what came meanwhile first.
    public static let workflowClosing = RequestError(
        .resourceExhausted,
        "workflow operation can not be applied because workflow is closing"
    )

    public static let workflowTaskNotFound = RequestError(
        .notFound,
        "Workflow task not found.",
        detail: .workflowNotFound
    )

    public static let activityTaskNotFound = RequestError(
        .notFound,
        "invalid activityID or activity already timed out or invoking workflow is completed",
        detail: .workflowNotFound
    )

    public static func unavailable(_ message: String) -> RequestError { RequestError(.unavailable, message) }
}
