package import SagamoreAPI
package import SagamoreEngine
internal import SagamoreProtobuf

/// Children and other workflows.
extension Samples {
    package static let namespace = NamespaceName(name: "default", id: "00000000-0000-0000-0000-000000000001")
    package static let parentRunID = RunID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_00AA)
    package static let childRunID = RunID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_00BB)

    package static let childLineage = childLineage(of: 7)

    /// The lineage of a run that a schedule started.
    package static var scheduledLineage: Lineage {
        var lineage = Lineage()
        lineage.schedule = Lineage.Schedule(scheduleID: "daily", instance: parentRunID, startID: "s1")
        return lineage
    }

    /// The lineage of a child of the workflow `parent`, initiated by this event.
    package static func childLineage(of initiatedEventID: Int64) -> Lineage {
        var lineage = Lineage()
        lineage.parent = Lineage.Parent(
            namespaceID: namespace.id,
            namespaceName: namespace.name,
            workflowID: "parent",
            runID: parentRunID,
            initiatedEventID: initiatedEventID
        )
        lineage.root = Lineage.Root(workflowID: "root", runID: parentRunID)
        return lineage
    }

    package static func startChild(
        _ workflowID: String,
        _ adjust: (inout StartChildWorkflowExecutionCommandAttributes) -> Void = { _ in }
    ) -> Command {
        var attributes = StartChildWorkflowExecutionCommandAttributes()
        attributes.workflowID = workflowID
        attributes.workflowType = WorkflowType()
        attributes.workflowType?.name = "Child"
        attributes.input = payloads("child's input")
        adjust(&attributes)
        var command = Command()
        command.commandType = .startChildWorkflowExecution
        command.attributes = .startChildWorkflowExecutionCommandAttributes(attributes)
        return command
    }

    package static func signalExternal(
        _ workflowID: String,
        _ name: String = "go",
        _ adjust: (inout SignalExternalWorkflowExecutionCommandAttributes) -> Void = { _ in }
    ) -> Command {
        var attributes = SignalExternalWorkflowExecutionCommandAttributes()
        attributes.execution = WorkflowExecution()
        attributes.execution?.workflowID = workflowID
        attributes.signalName = name
        adjust(&attributes)
        var command = Command()
        command.commandType = .signalExternalWorkflowExecution
        command.attributes = .signalExternalWorkflowExecutionCommandAttributes(attributes)
        return command
    }

    package static func cancelExternal(
        _ workflowID: String,
        _ adjust: (inout RequestCancelExternalWorkflowExecutionCommandAttributes) -> Void = { _ in }
    ) -> Command {
        var attributes = RequestCancelExternalWorkflowExecutionCommandAttributes()
        attributes.workflowID = workflowID
        adjust(&attributes)
        var command = Command()
        command.commandType = .requestCancelExternalWorkflowExecution
        command.attributes = .requestCancelExternalWorkflowExecutionCommandAttributes(attributes)
        return command
    }

    /// The end of a child, as its last event tells it.
    package static func childEnd(
        _ initiatedEventID: Int64,
        _ workflowID: String,
        _ type: EventType,
        _ attributes: HistoryEvent.OneOf_Attributes
    ) -> ChildEnd {
        var event = HistoryEvent()
        event.eventID = 9
        event.eventType = type
        event.attributes = attributes
        return ChildEnd(
            initiatedEventID: initiatedEventID,
            workflowID: workflowID,
            runID: childRunID,
            firstRunID: childRunID,
            event: event
        )
    }

    /// The ends that a child may have.
    package static let childEnds: [(EventType, HistoryEvent.OneOf_Attributes)] = {
        var completed = WorkflowExecutionCompletedEventAttributes()
        completed.result = payloads("result")
        var failed = WorkflowExecutionFailedEventAttributes()
        failed.failure = failure("no child")
        failed.retryState = .retryPolicyNotSet
        var canceled = WorkflowExecutionCanceledEventAttributes()
        canceled.details = payloads("details")
        var timedOut = WorkflowExecutionTimedOutEventAttributes()
        timedOut.retryState = .timeout
        return [
            (.workflowExecutionCompleted, .workflowExecutionCompletedEventAttributes(completed)),
            (.workflowExecutionFailed, .workflowExecutionFailedEventAttributes(failed)),
            (.workflowExecutionCanceled, .workflowExecutionCanceledEventAttributes(canceled)),
            (.workflowExecutionTimedOut, .workflowExecutionTimedOutEventAttributes(timedOut)),
            (.workflowExecutionTerminated, .workflowExecutionTerminatedEventAttributes(.init())),
        ]
    }()
}

extension Stage {
    /// The other side has answered.
    @discardableResult
    package func answer(_ answer: DebtAnswer, to eventID: Int64) -> Decision {
        apply(execution.decide(answer, to: eventID, from: Samples.namespace, at: now))
    }

    /// A child has ended, by the number of its end in `Samples.childEnds`.
    @discardableResult
    package func childEnded(_ eventID: Int64, _ workflowID: String, _ number: Int = 0) -> Decision {
        let (type, attributes) = Samples.childEnds[number]
        let end = Samples.childEnd(eventID, workflowID, type, attributes)
        return apply(execution.decide(end, at: now))
    }

    package func message(_ eventID: Int64) throws(RequestError) -> DebtMessage? {
        try execution.message(for: eventID, from: Samples.namespace, limits: limits)
    }
}
