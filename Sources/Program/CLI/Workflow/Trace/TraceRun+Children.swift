internal import SagamoreAPI
internal import SagamoreProtobuf

/// What a history tells about the children of its run.
extension TraceRun {
    /// What an event tells about a child, by the event that initiated it; nil when it is about something else.
    static func child(_ event: HistoryEvent, in namespace: String) throws -> (id: Int64, child: TraceRun)? {
        guard let (id, child) = try beginning(event) ?? end(event) else { return nil }
        var named = child
        if named.name.namespace.isEmpty { named.name.namespace = namespace }
        return (id, named)
    }

    /// What is known after another event.
    func merged(with later: TraceRun) -> TraceRun {
        var merged = later
        // The first run stays the child's name: its history leads to the others.
        if !name.runID.isEmpty { merged.name.runID = name.runID }
        if merged.name.workflowID.isEmpty { merged.name.workflowID = name.workflowID }
        if merged.type.isEmpty { merged.type = type }
        merged.startTime = startTime ?? later.startTime
        return merged
    }

    private init(_ namespace: String, _ execution: WorkflowExecution?, _ type: WorkflowType?) {
        name = Name(namespace: namespace, workflowID: execution?.workflowID ?? "", runID: execution?.runID ?? "")
        self.type = type?.name ?? ""
    }

    private static func beginning(_ event: HistoryEvent) -> (Int64, TraceRun)? {
        switch event.attributes {
        case .startChildWorkflowExecutionInitiatedEventAttributes(let initiated)?:
            var child = TraceRun(initiated.namespace, nil, initiated.workflowType)
            child.name.workflowID = initiated.workflowID
            return (event.eventID, child)
        case .startChildWorkflowExecutionFailedEventAttributes(let failed)?:
            var child = TraceRun(failed.namespace, nil, failed.workflowType)
            child.name.workflowID = failed.workflowID
            child.failure = failed.cause.description
                .inCamelCase(without: "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_")
            return (failed.initiatedEventID, child)
        case .childWorkflowExecutionStartedEventAttributes(let started)?:
            var child = TraceRun(started.namespace, started.workflowExecution, started.workflowType)
            child.status = .running
            child.startTime = event.eventTime
            return (started.initiatedEventID, child)
        default: return nil
        }
    }

    private static func end(_ event: HistoryEvent) throws -> (Int64, TraceRun)? {
        var (id, child): (Int64, TraceRun)
        switch event.attributes {
        case .childWorkflowExecutionCompletedEventAttributes(let end)?:
            (id, child) = (end.initiatedEventID, TraceRun(end.namespace, end.workflowExecution, end.workflowType))
            child.status = .completed
        case .childWorkflowExecutionFailedEventAttributes(let end)?:
            (id, child) = (end.initiatedEventID, TraceRun(end.namespace, end.workflowExecution, end.workflowType))
            child.status = .failed
            child.failure = try end.failure?.decoded().text
        case .childWorkflowExecutionCanceledEventAttributes(let end)?:
            (id, child) = (end.initiatedEventID, TraceRun(end.namespace, end.workflowExecution, end.workflowType))
            child.status = .canceled
        case .childWorkflowExecutionTimedOutEventAttributes(let end)?:
            (id, child) = (end.initiatedEventID, TraceRun(end.namespace, end.workflowExecution, end.workflowType))
            child.status = .timedOut
        case .childWorkflowExecutionTerminatedEventAttributes(let end)?:
            (id, child) = (end.initiatedEventID, TraceRun(end.namespace, end.workflowExecution, end.workflowType))
            child.status = .terminated
        default: return nil
        }
        child.closeTime = event.eventTime
        return (id, child)
    }
}
