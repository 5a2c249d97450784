internal import SagamoreAPI

/// A workflow ended without completing.
public struct WorkflowFailedError: Error, Sendable, CustomStringConvertible {
    /// How a workflow can end without completing.
    public enum Way: Sendable, Hashable {
        /// It failed; ``WorkflowFailedError/cause`` says why.
        case failed
        /// It was cancelled and ran its cleanup.
        case canceled
        /// It was terminated from outside.
        case terminated
        /// It exceeded its timeout.
        case timedOut
    }

    /// How it ended.
    public let way: Way
    /// A description for people.
    public let message: String
    /// Why it failed: an ``ApplicationError``, a ``SagaCompensatedError``, an ``ActivityError``, …
    public let cause: (any Error)?
    /// The details of a cancellation; for a saga its `[SagaCompensation]`.
    public let details: EncodedValues

    init?(_ event: HistoryEvent) {
        switch event.attributes {
        case .workflowExecutionFailedEventAttributes(let failed):
            let error = FailureCoding.error(failed.failure)
            (way, message, cause, details) = (.failed, "the workflow failed: \(error)", error, EncodedValues())
        case .workflowExecutionCanceledEventAttributes(let cancelled):
            (way, message, cause) = (.canceled, "the workflow was cancelled", nil)
            details = EncodedValues(cancelled.details)
        case .workflowExecutionTerminatedEventAttributes(let terminated):
            (way, message, cause) = (.terminated, "the workflow was terminated: \(terminated.reason)", nil)
            details = EncodedValues(terminated.details)
        case .workflowExecutionTimedOutEventAttributes:
            (way, message, cause, details) = (.timedOut, "the workflow timed out", nil, EncodedValues())
        default:
            return nil
        }
    }

    /// The message.
    public var description: String { message }
}
