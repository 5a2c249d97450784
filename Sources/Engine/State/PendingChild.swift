public import SagamoreAPI

/// A child workflow between its StartChildWorkflowExecutionInitiated event and its last one.
public struct PendingChild: Equatable, Sendable {
    /// The id of StartChildWorkflowExecutionInitiated, which identifies the child within the run.
    public let initiatedEventID: Int64
    /// The child's workflow id.
    public let workflowID: String
    /// The child's workflow type.
    public let type: String
    /// The name of the child's namespace.
    public let namespace: String
    /// The id of the child's namespace.
    public let namespaceID: String
    /// What becomes of the child when this run ends.
    public let parentClosePolicy: ParentClosePolicy

    /// The event that has everything its start needs; nil once the start is confirmed.
    public var initiated: HistoryEvent?
    /// The id of the child's first run; empty until the start is confirmed.
    public var runID = ""
    /// The id of ChildWorkflowExecutionStarted; 0 until that is written.
    public var startedEventID: Int64 = 0
}

extension PendingChild {
    /// A child whose start is confirmed or not: what `initiated` says is nil in the first case.
    package init(
        initiatedEventID: Int64,
        workflowID: String,
        type: String,
        namespace: String,
        namespaceID: String,
        parentClosePolicy: ParentClosePolicy
    ) {
        self.init(
            initiatedEventID: initiatedEventID,
            workflowID: workflowID,
            type: type,
            namespace: namespace,
            namespaceID: namespaceID,
            parentClosePolicy: parentClosePolicy,
            initiated: nil
        )
    }

    /// A newly initiated child. In an extension, to keep the memberwise initializer.
    init(event: HistoryEvent, attributes: StartChildWorkflowExecutionInitiatedEventAttributes) {
        initiatedEventID = event.eventID
        workflowID = attributes.workflowID
        type = attributes.workflowType?.name ?? ""
        namespace = attributes.namespace
        namespaceID = attributes.namespaceID
        parentClosePolicy = attributes.parentClosePolicy
        initiated = event
    }

    /// The attributes of `initiated`.
    var start: StartChildWorkflowExecutionInitiatedEventAttributes? {
        guard case .startChildWorkflowExecutionInitiatedEventAttributes(let start)? = initiated?.attributes else {
            return nil
        }
        return start
    }

    /// The child in its events.
    var execution: WorkflowExecution {
        var execution = WorkflowExecution()
        execution.workflowID = workflowID
        execution.runID = runID
        return execution
    }

    var workflowType: WorkflowType {
        var workflowType = WorkflowType()
        workflowType.name = type
        return workflowType
    }
}
