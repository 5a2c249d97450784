/// A child workflow could not be started, or did not complete. ``cause`` is the reason: the child's own failure, a
/// ``TimeoutError``, a ``CanceledError``, or a ``ServerError`` for a start that was refused and for a
/// termination.
public struct ChildWorkflowError: WorkflowFailure, CustomStringConvertible {
    /// The name of the child's type.
    public let workflow: String
    /// The child's workflow id.
    public let workflowID: String
    /// The child's run; empty when it never started.
    public let runID: String
    /// Why it failed.
    public let cause: (any Error)?
    let namespace: String
    let initiatedEventID: Int64
    let startedEventID: Int64
    let retryState: Int32

    /// The child's type and the reason.
    public var description: String { "child workflow '\(workflow)' failed" + (cause.map { ": \($0)" } ?? "") }
}

/// Another workflow could not be signalled or cancelled.
public struct ExternalWorkflowError: WorkflowFailure, CustomStringConvertible {
    /// Why it could not.
    public enum Reason: Sendable, Hashable {
        /// There is no such workflow, or it has ended.
        case notFound
        /// There is no such namespace.
        case namespaceNotFound
        /// The workflow accepts no more signals.
        case signalLimitExceeded
        /// A reason that this version does not know.
        case other
    }

    /// The workflow's id.
    public let workflowID: String
    /// Why it could not.
    public let reason: Reason
    /// None.
    public var cause: (any Error)? { nil }

    /// The workflow and the reason.
    public var description: String {
        switch reason {
        case .notFound: "workflow '\(workflowID)' does not exist or has ended"
        case .namespaceNotFound: "the namespace of workflow '\(workflowID)' does not exist"
        case .signalLimitExceeded: "workflow '\(workflowID)' accepts no more signals"
        case .other: "workflow '\(workflowID)' could not be reached"
        }
    }
}
