internal import SagamoreAPI
internal import SagamoreProtobuf

/// What became of signals and cancel requests to other workflows.
extension Execution {
    func record(
        _ answer: DebtAnswer,
        toSignal initiated: HistoryEvent,
        _ namespace: NamespaceName,
        in draft: inout Draft
    ) {
        guard case .signalExternalWorkflowExecutionInitiatedEventAttributes(let signal) = initiated.attributes else {
            return
        }
        guard case .refused(let error) = answer else {
            var attributes = ExternalWorkflowExecutionSignaledEventAttributes()
            attributes.initiatedEventID = initiated.eventID
            attributes.namespace = namespace.name
            attributes.namespaceID = signal.namespaceID
            attributes.workflowExecution = signal.workflowExecution
            attributes.control = signal.control
            return draft.outside(
                self,
                .externalWorkflowExecutionSignaled,
                .externalWorkflowExecutionSignaledEventAttributes(attributes)
            )
        }
        var attributes = SignalExternalWorkflowExecutionFailedEventAttributes()
        attributes.cause = error.code == .notFound ? .externalWorkflowExecutionNotFound : .signalCountLimitExceeded
        attributes.namespace = namespace.name
        attributes.namespaceID = signal.namespaceID
        attributes.workflowExecution = signal.workflowExecution
        attributes.initiatedEventID = initiated.eventID
        attributes.control = signal.control
        draft.outside(
            self,
            .signalExternalWorkflowExecutionFailed,
            .signalExternalWorkflowExecutionFailedEventAttributes(attributes)
        )
    }

    func record(
        _ answer: DebtAnswer,
        toCancel initiated: HistoryEvent,
        _ namespace: NamespaceName,
        in draft: inout Draft
    ) {
        guard case .requestCancelExternalWorkflowExecutionInitiatedEventAttributes(let cancel) = initiated.attributes
        else { return }
        guard case .refused = answer else {
            var attributes = ExternalWorkflowExecutionCancelRequestedEventAttributes()
            attributes.initiatedEventID = initiated.eventID
            attributes.namespace = namespace.name
            attributes.namespaceID = cancel.namespaceID
            attributes.workflowExecution = cancel.workflowExecution
            return draft.outside(
                self,
                .externalWorkflowExecutionCancelRequested,
                .externalWorkflowExecutionCancelRequestedEventAttributes(attributes)
            )
        }
        var attributes = RequestCancelExternalWorkflowExecutionFailedEventAttributes()
        attributes.cause = .externalWorkflowExecutionNotFound
        attributes.namespace = namespace.name
        attributes.namespaceID = cancel.namespaceID
        attributes.workflowExecution = cancel.workflowExecution
        attributes.initiatedEventID = initiated.eventID
        attributes.control = cancel.control
        draft.outside(
            self,
            .requestCancelExternalWorkflowExecutionFailed,
            .requestCancelExternalWorkflowExecutionFailedEventAttributes(attributes)
        )
    }
}
