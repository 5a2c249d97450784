public import SagamoreAPI
internal import SagamoreProtobuf

/// How a child has ended, as its last run tells its parent.
public final class ChildEnd: Sendable {
    /// The parent's event that names the child.
    public let initiatedEventID: Int64
    /// The child's workflow id.
    public let workflowID: String
    /// The run that ended.
    public let runID: RunID
    /// The first run of its chain, which the parent started.
    public let firstRunID: RunID
    /// The child's last event.
    public let event: HistoryEvent

    public init(initiatedEventID: Int64, workflowID: String, runID: RunID, firstRunID: RunID, event: HistoryEvent) {
        self.initiatedEventID = initiatedEventID
        self.workflowID = workflowID
        self.runID = runID
        self.firstRunID = firstRunID
        self.event = event
    }
}

extension Execution {
    /// Records the end of a child. Does nothing for a child that is not pending: its end was recorded before, or nobody
    /// waits for it.
    public func decide(_ end: ChildEnd, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning, var child = durable.children[end.initiatedEventID],
            child.workflowID.hasSameBytes(as: end.workflowID)
        else { return draft.decision }
        if child.initiated != nil {
            // The end overtook the answer to the start.
            let startedEventID = writeStarted(child, end.firstRunID, in: &draft)
            child.runID = end.firstRunID.description
            child.startedEventID = startedEventID
        }
        writeEnd(end, of: child, in: &draft)
        scheduleWorkflowTask(in: &draft)
        return draft.decision
    }

    /// Records the answer to a child's start.
    func record(_ answer: DebtAnswer, to child: PendingChild, in draft: inout Draft) {
        switch answer {
        case .started(let runID): _ = writeStarted(child, runID, in: &draft)
        case .refused(let error):
            var attributes = StartChildWorkflowExecutionFailedEventAttributes()
            attributes.namespace = child.namespace
            attributes.namespaceID = child.namespaceID
            attributes.workflowID = child.workflowID
            attributes.workflowType = child.workflowType
            attributes.cause =
                switch error.code {
                case .alreadyExists: .workflowAlreadyExists
                case .notFound: .namespaceNotFound
                default: .unspecified
                }
            attributes.control = child.start?.control ?? ""
            attributes.initiatedEventID = child.initiatedEventID
            // Temporal leaves out the task that started the child.
            draft.outside(
                self,
                .startChildWorkflowExecutionFailed,
                .startChildWorkflowExecutionFailedEventAttributes(attributes)
            )
        case .done: preconditionFailure("a start was answered without a run")
        }
    }

    /// Writes ChildWorkflowExecutionStarted. Returns its id, or the placeholder of a buffered one.
    private func writeStarted(_ child: PendingChild, _ runID: RunID, in draft: inout Draft) -> Int64 {
        var attributes = ChildWorkflowExecutionStartedEventAttributes()
        attributes.namespace = child.namespace
        attributes.namespaceID = child.namespaceID
        attributes.initiatedEventID = child.initiatedEventID
        attributes.workflowExecution = WorkflowExecution(child.workflowID, runID)
        attributes.workflowType = child.workflowType
        attributes.header = child.start?.header
        let isBuffered = buffersEvents
        draft.outside(
            self,
            .childWorkflowExecutionStarted,
            .childWorkflowExecutionStartedEventAttributes(attributes)
        )
        return isBuffered ? bufferedStartedEventID : draft.lastEventID
    }

    private func writeEnd(_ end: ChildEnd, of child: PendingChild, in draft: inout Draft) {
        let execution = WorkflowExecution(child.workflowID, end.runID)
        // A started child without the id of its event has that event in the buffer.
        let startedEventID = child.startedEventID == 0 ? bufferedStartedEventID : child.startedEventID
        switch end.event.attributes {
        case .workflowExecutionCompletedEventAttributes(let last):
            var attributes = ChildWorkflowExecutionCompletedEventAttributes()
            attributes.result = last.result
            (attributes.namespace, attributes.namespaceID) = (child.namespace, child.namespaceID)
            (attributes.workflowExecution, attributes.workflowType) = (execution, child.workflowType)
            (attributes.initiatedEventID, attributes.startedEventID) = (child.initiatedEventID, startedEventID)
            draft.outside(
                self,
                .childWorkflowExecutionCompleted,
                .childWorkflowExecutionCompletedEventAttributes(attributes)
            )
        case .workflowExecutionFailedEventAttributes(let last):
            var attributes = ChildWorkflowExecutionFailedEventAttributes()
            attributes.failure = last.failure
            attributes.retryState = last.retryState
            (attributes.namespace, attributes.namespaceID) = (child.namespace, child.namespaceID)
            (attributes.workflowExecution, attributes.workflowType) = (execution, child.workflowType)
            (attributes.initiatedEventID, attributes.startedEventID) = (child.initiatedEventID, startedEventID)
            draft.outside(self, .childWorkflowExecutionFailed, .childWorkflowExecutionFailedEventAttributes(attributes))
        case .workflowExecutionCanceledEventAttributes(let last):
            var attributes = ChildWorkflowExecutionCanceledEventAttributes()
            attributes.details = last.details
            (attributes.namespace, attributes.namespaceID) = (child.namespace, child.namespaceID)
            (attributes.workflowExecution, attributes.workflowType) = (execution, child.workflowType)
            (attributes.initiatedEventID, attributes.startedEventID) = (child.initiatedEventID, startedEventID)
            draft.outside(
                self,
                .childWorkflowExecutionCanceled,
                .childWorkflowExecutionCanceledEventAttributes(attributes)
            )
        case .workflowExecutionTimedOutEventAttributes(let last):
            var attributes = ChildWorkflowExecutionTimedOutEventAttributes()
            attributes.retryState = last.retryState
            (attributes.namespace, attributes.namespaceID) = (child.namespace, child.namespaceID)
            (attributes.workflowExecution, attributes.workflowType) = (execution, child.workflowType)
            (attributes.initiatedEventID, attributes.startedEventID) = (child.initiatedEventID, startedEventID)
            draft.outside(
                self,
                .childWorkflowExecutionTimedOut,
                .childWorkflowExecutionTimedOutEventAttributes(attributes)
            )
        default:
            var attributes = ChildWorkflowExecutionTerminatedEventAttributes()
            (attributes.namespace, attributes.namespaceID) = (child.namespace, child.namespaceID)
            (attributes.workflowExecution, attributes.workflowType) = (execution, child.workflowType)
            (attributes.initiatedEventID, attributes.startedEventID) = (child.initiatedEventID, startedEventID)
            draft.outside(
                self,
                .childWorkflowExecutionTerminated,
                .childWorkflowExecutionTerminatedEventAttributes(attributes)
            )
        }
    }
}

extension HistoryEvent {
    /// The end of a child, with the id of a ChildWorkflowExecutionStarted that was buffered before it.
    ///
    /// - Parameter started: the ids of such events by the ids of the children.
    func linked(toChildren started: [Int64: Int64]) -> HistoryEvent {
        var event = self
        func real(_ id: Int64, _ initiated: Int64) -> Int64 {
            id == bufferedStartedEventID ? started[initiated] ?? 0 : id
        }
        switch attributes {
        case .childWorkflowExecutionCompletedEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.initiatedEventID)
            event.attributes = .childWorkflowExecutionCompletedEventAttributes(attributes)
        case .childWorkflowExecutionFailedEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.initiatedEventID)
            event.attributes = .childWorkflowExecutionFailedEventAttributes(attributes)
        case .childWorkflowExecutionCanceledEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.initiatedEventID)
            event.attributes = .childWorkflowExecutionCanceledEventAttributes(attributes)
        case .childWorkflowExecutionTimedOutEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.initiatedEventID)
            event.attributes = .childWorkflowExecutionTimedOutEventAttributes(attributes)
        case .childWorkflowExecutionTerminatedEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.initiatedEventID)
            event.attributes = .childWorkflowExecutionTerminatedEventAttributes(attributes)
        default: break
        }
        return event
    }
}
