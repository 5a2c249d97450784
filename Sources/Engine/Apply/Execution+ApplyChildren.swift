internal import SagamoreAPI

/// What is pending elsewhere: children, signals and cancel requests. What the run owes others follows from it.
extension Execution {
    /// An event may occur twice, when it is buffered and when it is written; the first time counts.
    mutating func applyChildrenAndOthers(_ event: HistoryEvent) {
        switch event.attributes {
        case .startChildWorkflowExecutionInitiatedEventAttributes(let attributes):
            durable.children[event.eventID] = PendingChild(event: event, attributes: attributes)
        case .startChildWorkflowExecutionFailedEventAttributes(let attributes):
            durable.children[attributes.initiatedEventID] = nil
        case .childWorkflowExecutionStartedEventAttributes(let attributes):
            let runID = attributes.workflowExecution?.runID ?? ""
            durable.children[attributes.initiatedEventID]?.start(runID, startedEventID: event.eventID)
        case .childWorkflowExecutionCompletedEventAttributes(let attributes):
            durable.children[attributes.initiatedEventID] = nil
        case .childWorkflowExecutionFailedEventAttributes(let attributes):
            durable.children[attributes.initiatedEventID] = nil
        case .childWorkflowExecutionCanceledEventAttributes(let attributes):
            durable.children[attributes.initiatedEventID] = nil
        case .childWorkflowExecutionTimedOutEventAttributes(let attributes):
            durable.children[attributes.initiatedEventID] = nil
        case .childWorkflowExecutionTerminatedEventAttributes(let attributes):
            durable.children[attributes.initiatedEventID] = nil
        case .signalExternalWorkflowExecutionInitiatedEventAttributes:
            durable.signals[event.eventID] = event
        case .externalWorkflowExecutionSignaledEventAttributes(let attributes):
            durable.signals[attributes.initiatedEventID] = nil
        case .signalExternalWorkflowExecutionFailedEventAttributes(let attributes):
            durable.signals[attributes.initiatedEventID] = nil
        case .requestCancelExternalWorkflowExecutionInitiatedEventAttributes:
            durable.cancels[event.eventID] = event
        case .externalWorkflowExecutionCancelRequestedEventAttributes(let attributes):
            durable.cancels[attributes.initiatedEventID] = nil
        case .requestCancelExternalWorkflowExecutionFailedEventAttributes(let attributes):
            durable.cancels[attributes.initiatedEventID] = nil
        default:
            break
        }
    }

    /// The run has closed by this event. Its children stay listed: describing a closed workflow shows them. What was
    /// not sent yet is not sent any more. Children may have been started meanwhile, except those of the last task.
    mutating func oweAfterClose(_ event: HistoryEvent) {
        if !durable.signals.isEmpty { durable.signals = [:] }
        if !durable.cancels.isEmpty { durable.cancels = [:] }
        // The workflow goes on in another run, which has the same parent and may have the same children.
        if event.isEndByReset { return }
        let lastTask = event.closingTask
        for child in durable.children.values where child.parentClosePolicy != .abandon {
            if let start = child.start, start.workflowTaskCompletedEventID == lastTask { continue }
            durable.childrenToEnd.insert(child.initiatedEventID)
        }
        guard event.successorRunID.isEmpty else { return }
        if durable.parent != nil || durable.schedule != nil { durable.unreportedEnd = event }
    }

    mutating func settle(_ eventID: Int64) {
        durable.childrenToEnd.remove(eventID)
        if durable.unreportedEnd?.eventID == eventID { durable.unreportedEnd = nil }
    }

    mutating func applyLineage(_ attributes: WorkflowExecutionStartedEventAttributes) {
        guard let parent = attributes.parentWorkflowExecution, let parentRunID = RunID(parent.runID) else { return }
        durable.parent = Lineage.Parent(
            namespaceID: attributes.parentWorkflowNamespaceID,
            namespaceName: attributes.parentWorkflowNamespace,
            workflowID: parent.workflowID,
            runID: parentRunID,
            initiatedEventID: attributes.parentInitiatedEventID
        )
        guard let root = attributes.rootWorkflowExecution, let rootRunID = RunID(root.runID) else { return }
        durable.root = Lineage.Root(workflowID: root.workflowID, runID: rootRunID)
    }
}

extension PendingChild {
    fileprivate mutating func start(_ runID: String, startedEventID: Int64) {
        self.runID = runID
        self.startedEventID = startedEventID
        initiated = nil
    }
}

extension HistoryEvent {
    /// Whether the event tells of a child or of another workflow, so that it is buffered during a workflow task.
    var comesFromOtherWorkflow: Bool {
        switch attributes {
        case .startChildWorkflowExecutionFailedEventAttributes, .childWorkflowExecutionStartedEventAttributes,
            .externalWorkflowExecutionSignaledEventAttributes, .signalExternalWorkflowExecutionFailedEventAttributes,
            .externalWorkflowExecutionCancelRequestedEventAttributes,
            .requestCancelExternalWorkflowExecutionFailedEventAttributes:
            true
        default: endedChild != nil
        }
    }

    /// The initiated event's id of the child that this event ends.
    var endedChild: Int64? {
        switch attributes {
        case .childWorkflowExecutionCompletedEventAttributes(let attributes): attributes.initiatedEventID
        case .childWorkflowExecutionFailedEventAttributes(let attributes): attributes.initiatedEventID
        case .childWorkflowExecutionCanceledEventAttributes(let attributes): attributes.initiatedEventID
        case .childWorkflowExecutionTimedOutEventAttributes(let attributes): attributes.initiatedEventID
        case .childWorkflowExecutionTerminatedEventAttributes(let attributes): attributes.initiatedEventID
        default: nil
        }
    }
}
