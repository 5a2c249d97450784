public import SagamoreAPI
public import SagamoreProtobuf

/// Why a request was refused: a status that clients of the contract know, a message, and a detail that SDKs map to
/// their own errors.
public struct RequestError: Error, Sendable, CustomStringConvertible {
    /// The status; the same words as gRPC's codes.
    public enum Code: Sendable, Hashable {
        /// The gRPC codes of the same names: the request, or the state it meets, is at fault.
        case invalidArgument, notFound, alreadyExists, failedPrecondition, permissionDenied
        /// The gRPC codes of the same names: the service, or the deadline, is at fault. `internalError` is `INTERNAL`.
        case resourceExhausted, unavailable, unimplemented, deadlineExceeded, cancelled, internalError
    }

    /// What rides beside the status, for SDKs that turn it into a typed error.
    public enum Detail: Sendable {
        /// `WorkflowExecutionAlreadyStartedFailure`: the run that holds the workflow id, and its start's request id.
        case workflowAlreadyStarted(runID: RunID, startRequestID: String)
        /// Also of a task that is not there (any more): what is missing is only in the message.
        case workflowNotFound
        /// `NamespaceNotFoundFailure` with the namespace's name.
        case namespaceNotFound(String)
        /// `NamespaceAlreadyExistsFailure`.
        case namespaceAlreadyExists
        /// `WorkflowNotReadyFailure`: the run cannot answer queries yet.
        case workflowNotReady
        /// `QueryFailedFailure` with the worker's failure, if it sent one.
        case queryFailed(RawMessage<Failure>?)
        /// `SystemWorkflowFailure`, reserved for failures of the system's own workflow tasks.
        case systemWorkflowTaskFailed
    }

    /// The status that the caller receives.
    public let code: Code
    /// The text for a person. It holds no payload.
    public let message: String
    /// The typed detail, or nil when the code says enough.
    public let detail: Detail?

    /// An error with a status, a text, and the detail that SDKs turn into a typed error.
    public init(_ code: Code, _ message: String, detail: Detail? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
    }

    public var description: String { "\(code): \(message)" }

    /// The request itself is at fault; repeating it does not help.
    public static func invalidArgument(_ message: String) -> RequestError { RequestError(.invalidArgument, message) }

    /// No run of this workflow id exists in the namespace.
    public static func workflowNotFound(_ workflowID: String) -> RequestError {
        RequestError(.notFound, "workflow not found for ID: \(workflowID)", detail: .workflowNotFound)
    }

    /// The workflow has no run with this id.
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

    /// The run has closed, so it takes no more signals, cancellations, or terminations.
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

    /// The workflow task has ended, or belongs to another attempt. The text is Temporal's; SDKs look for it.
    public static let workflowTaskNotFound = RequestError(
        .notFound,
        "Workflow task not found.",
        detail: .workflowNotFound
    )

    /// The activity has ended, or its run has. The text is Temporal's; SDKs look for it.
    public static let activityTaskNotFound = RequestError(
        .notFound,
        "invalid activityID or activity already timed out or invoking workflow is completed",
        detail: .workflowNotFound
    )

    /// The service cannot answer now; the caller may repeat the request.
    public static func unavailable(_ message: String) -> RequestError { RequestError(.unavailable, message) }
}
