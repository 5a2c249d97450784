internal import SagamoreAPI
internal import SagamoreProtobuf

extension RunCore {
    /// The event of a command whose outcome is awaited.
    func confirmed(_ command: IssuedCommand, _ eventID: Int64) {
        activities[command.sequence]?.scheduledEventID = eventID
        children[command.sequence]?.initiatedEventID = eventID
    }

    /// Delivers an event about a child or another workflow. Returns false for all other events.
    func deliverOfOtherWorkflow(_ event: HistoryEvent) -> Bool {
        switch event.attributes {
        case .childWorkflowExecutionStartedEventAttributes(let started):
            let runID = started.workflowExecution?.runID ?? ""
            childStarted(started.initiatedEventID, runID: runID, eventID: event.eventID)
        case .startChildWorkflowExecutionFailedEventAttributes(let failed):
            childEnded(failed.initiatedEventID) { .failure($0.failure(Self.refusal(failed.cause))) }
        case .childWorkflowExecutionCompletedEventAttributes(let completed):
            childEnded(completed.initiatedEventID) { _ in .success(completed.result) }
        case .childWorkflowExecutionFailedEventAttributes(let failed):
            let cause = FailureCoding.error(failed.failure)
            childEnded(failed.initiatedEventID) { .failure($0.failure(cause, retryState: failed.retryState)) }
        case .childWorkflowExecutionCanceledEventAttributes(let cancelled):
            let cause = CanceledError(
                "the child workflow was cancelled",
                details: EncodedValues(cancelled.details)
            )
            childEnded(cancelled.initiatedEventID) { .failure($0.failure(cause)) }
        case .childWorkflowExecutionTimedOutEventAttributes(let timedOut):
            let cause = TimeoutError(
                message: "the child workflow timed out",
                kind: .startToClose,
                lastHeartbeatDetails: EncodedValues(),
                cause: nil
            )
            childEnded(timedOut.initiatedEventID) { .failure($0.failure(cause, retryState: timedOut.retryState)) }
        case .childWorkflowExecutionTerminatedEventAttributes(let terminated):
            let cause = ServerError(message: "the child workflow was terminated", kind: "terminated", cause: nil)
            childEnded(terminated.initiatedEventID) { .failure($0.failure(cause)) }
        case .externalWorkflowExecutionSignaledEventAttributes(let signaled):
            externalAnswered(signaled.initiatedEventID, nil)
        case .externalWorkflowExecutionCancelRequestedEventAttributes(let requested):
            externalAnswered(requested.initiatedEventID, nil)
        case .signalExternalWorkflowExecutionFailedEventAttributes(let failed):
            externalAnswered(failed.initiatedEventID, Self.reason(failed.cause))
        case .requestCancelExternalWorkflowExecutionFailedEventAttributes(let failed):
            externalAnswered(failed.initiatedEventID, Self.reason(failed.cause))
        default: return false
        }
        return true
    }

    private static func refusal(_ cause: StartChildWorkflowExecutionFailedCause) -> ServerError {
        let message: String =
            switch cause {
            case .workflowAlreadyExists: "a workflow with this id is running, or has run and must not run again"
            case .namespaceNotFound: "the namespace does not exist"
            default: "the start was refused: \(cause)"
            }
        return ServerError(message: message, kind: "child start", cause: nil)
    }

    private static func reason(_ cause: SignalExternalWorkflowExecutionFailedCause) -> ExternalWorkflowError.Reason {
        switch cause {
        case .externalWorkflowExecutionNotFound: .notFound
        case .namespaceNotFound: .namespaceNotFound
        case .signalCountLimitExceeded: .signalLimitExceeded
        default: .other
        }
    }

    private static func reason(_ cause: CancelExternalWorkflowExecutionFailedCause) -> ExternalWorkflowError.Reason {
        switch cause {
        case .externalWorkflowExecutionNotFound: .notFound
        case .namespaceNotFound: .namespaceNotFound
        default: .other
        }
    }

    /// Random numbers depend on this text from now on.
    func seedRandom(_ text: String) { random = SplitMix64(text: text) }
}
