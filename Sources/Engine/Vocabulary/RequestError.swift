public import SagamoreAPI
public import SagamoreProtobuf

/// Why a request was refused: a status of the contract, a message, and a detail that SDKs map to their own errors.
public struct RequestError: Error, Sendable, CustomStringConvertible {
    /// The status, named like gRPC's codes.
    public enum Code: Sendable, Hashable {
        /// The gRPC codes of the same names for invalid requests or conflicts with the current state.
        case invalidArgument, notFound, alreadyExists, failedPrecondition, permissionDenied
        /// The gRPC codes of the same names for failures of the service or deadlines. `internalError` is `INTERNAL`.
        case resourceExhausted, unavailable, unimplemented, deadlineExceeded, cancelled, internalError
    }

    /// What became of one of several operations that were asked for together.
    public enum OperationOutcome: Sendable {
        /// It was carried out.
        case done
        /// It was not carried out, since another one failed.
        case aborted
        /// It failed.
        case failed(RequestError)
    }

    /// Details of the status, which SDKs turn into typed errors.
    public enum Detail: Sendable {
        /// `WorkflowExecutionAlreadyStartedFailure`: the run that holds the workflow id, and its start's request id. No
        /// run for a schedule, which is a workflow to Temporal's server.
        case workflowAlreadyStarted(runID: RunID?, startRequestID: String)
        /// `NotFoundFailure`, also for a missing task; the message says what is missing.
        case workflowNotFound
        /// `NamespaceNotFoundFailure` with the namespace's name.
        case namespaceNotFound(String)
        /// `NamespaceInvalidStateFailure` with the namespace's name, its state, and the states that it should be in.
        case namespaceInvalidState(String, NamespaceState, allowed: [NamespaceState])
        /// `NamespaceAlreadyExistsFailure`.
        case namespaceAlreadyExists
        /// `WorkflowNotReadyFailure`: the run cannot answer queries yet.
        case workflowNotReady
        /// `QueryFailedFailure` with the worker's failure, if it sent one.
        case queryFailed(RawMessage<Failure>?)
        /// `ResourceExhaustedFailure` of a rate, or of what may be there at the same time; and when to ask again, as
        /// `google.rpc.RetryInfo`.
        case tooMuch(isConcurrent: Bool, retryAfterMilliseconds: Int64)
        /// `ResourceExhaustedFailure` of something that is limited per namespace at a time.
        case concurrentLimit
        /// `MultiOperationExecutionFailure`: what became of each operation of a request that has several.
        case operations([OperationOutcome])
        /// `SystemWorkflowFailure`, reserved for failures of the system's own workflow tasks.
        case systemWorkflowTaskFailed
    }

    /// The status that the caller receives.
    public let code: Code
    /// The text for a person. It holds no payload.
    public let message: String
    /// The typed detail; nil when the code suffices.
    public let detail: Detail?

    /// An error with a status, a message, and an optional detail.
    public init(_ code: Code, _ message: String, detail: Detail? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
    }

    /// Whether the same request may succeed later.
    public var mayPass: Bool {
        switch code {
        case .unavailable, .resourceExhausted, .deadlineExceeded, .cancelled: true
        default: false
        }
    }

    public var description: String { "\(code): \(message)" }

    /// No namespace has this name.
    public static func namespaceNotFound(_ name: String) -> RequestError {
        RequestError(.notFound, "Namespace \(name) is not found.", detail: .namespaceNotFound(name))
    }

    /// The request is invalid; retrying is pointless.
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

    /// The run belongs to another chain than the request names.
    public static let chainNotFound = RequestError(
        .notFound,
        "workflow execution not found",
        detail: .workflowNotFound
    )

    /// A query of a closed run that no worker has ever seen.
    public static let closedBeforeFirstTask = RequestError(
        .failedPrecondition,
        "Workflow execution closed before WorkflowTaskStarted event",
        detail: .workflowNotReady
    )

    /// A query of a run during its start delay.
    public static let workflowTaskNotScheduled = RequestError(
        .failedPrecondition,
        "Workflow task is not scheduled yet.",
        detail: .workflowNotReady
    )

    /// A query of a run whose code keeps failing its workflow task.
    public static let workflowTaskKeepsFailing = RequestError(
        .failedPrecondition,
        "Unable to query workflow due to Workflow Task in failed state.",
        detail: .workflowNotReady
    )

    /// The run has closed, so it accepts no more signals, cancel requests or terminations.
    public static let workflowClosed = RequestError(
        .notFound,
        "workflow execution already completed",
        detail: .workflowNotFound
    )

    /// A signal to a run whose code has ended, but must first see the events that arrived meanwhile.
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

    /// The service is unavailable; the caller may retry.
    public static func unavailable(_ message: String) -> RequestError { RequestError(.unavailable, message) }
}

// MARK: - Update-with-start

extension RequestError {
    /// The error of a start together with an update.
    ///
    /// - Parameter outcomes: of the start and of the update; at least one failed.
    public static func updateWithStart(_ outcomes: [OperationOutcome]) -> RequestError {
        let failures = outcomes.compactMap { outcome -> RequestError? in
            if case .failed(let error) = outcome { error } else { nil }
        }
        let code = failures.first?.code ?? .internalError
        return RequestError(code, "Update-with-Start could not be executed.", detail: .operations(outcomes))
    }

    /// The start failed, so the update was not tried.
    public static func refused(start error: RequestError) -> RequestError {
        updateWithStart([.failed(error), .aborted])
    }

    /// The update failed.
    ///
    /// - Parameter isStarted: whether the run was started for it.
    public static func refused(update error: RequestError, isStarted: Bool) -> RequestError {
        updateWithStart([isStarted ? .done : .aborted, .failed(error)])
    }
}
