internal import SagamoreAPI

/// An event caused by a command of the workflow.
struct CommandEvent {
    let eventID: Int64
    let kind: IssuedCommand.Kind
    /// The id of the activity, timer, workflow or update; nil where the event does not name it.
    private(set) var id: String?
    /// The name of the activity, child, signal or update, where the event names it.
    private(set) var name = ""
    /// The event that scheduled the activity, where the event names that.
    private(set) var scheduledEventID: Int64 = 0

    /// Nil for events that no command causes.
    init?(_ event: HistoryEvent) {
        eventID = event.eventID
        switch event.attributes {
        case .activityTaskScheduledEventAttributes(let attributes):
            kind = .scheduleActivity
            id = attributes.activityID
            name = attributes.activityType?.name ?? ""
        case .activityTaskCancelRequestedEventAttributes(let attributes):
            kind = .cancelActivity
            scheduledEventID = attributes.scheduledEventID
        case .timerStartedEventAttributes(let attributes):
            kind = .startTimer
            id = attributes.timerID
        case .timerCanceledEventAttributes(let attributes):
            kind = .cancelTimer
            id = attributes.timerID
        case .startChildWorkflowExecutionInitiatedEventAttributes(let attributes):
            kind = .startChild
            id = attributes.workflowID
            name = attributes.workflowType?.name ?? ""
        case .signalExternalWorkflowExecutionInitiatedEventAttributes(let attributes):
            kind = .signalWorkflow
            id = attributes.workflowExecution?.workflowID
            name = attributes.signalName
        case .requestCancelExternalWorkflowExecutionInitiatedEventAttributes(let attributes):
            kind = .cancelWorkflow
            id = attributes.workflowExecution?.workflowID
        case .workflowExecutionUpdateAcceptedEventAttributes(let attributes):
            kind = .acceptUpdate
            id = attributes.protocolInstanceID
        case .workflowExecutionUpdateCompletedEventAttributes(let attributes):
            kind = .completeUpdate
            id = attributes.meta?.updateID
        case .workflowExecutionCompletedEventAttributes: kind = .complete
        case .workflowExecutionFailedEventAttributes: kind = .fail
        case .workflowExecutionCanceledEventAttributes: kind = .cancel
        case .workflowExecutionContinuedAsNewEventAttributes: kind = .continueAsNew
        default: return nil
        }
    }

    var description: String {
        if kind == .cancelActivity { return "cancelling the activity of event \(scheduledEventID)" }
        return kind.description(id: id ?? "", name: name)
    }

    /// Whether `command` caused the event, as far as ids and names tell.
    func matches(_ command: IssuedCommand) -> Bool {
        guard kind == command.kind else { return false }
        guard let id else { return true }
        switch kind {
        // Their events name only the id.
        case .acceptUpdate, .completeUpdate, .cancelWorkflow, .startTimer, .cancelTimer: return id == command.wireID
        default: return id == command.wireID && name == command.name
        }
    }
}
