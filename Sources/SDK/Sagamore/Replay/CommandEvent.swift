internal import SagamoreAPI

/// An event caused by a command of the workflow.
struct CommandEvent {
    let eventID: Int64
    let kind: IssuedCommand.Kind
    /// The id of the activity or timer; nil where the event does not name it.
    let id: String?
    /// The activity's name, where the event names it.
    let name: String
    /// The event that scheduled the activity, where the event names that.
    let scheduledEventID: Int64

    /// Nil for events that no command causes.
    init?(_ event: HistoryEvent) {
        var id: String?
        var name = ""
        var scheduled: Int64 = 0
        switch event.attributes {
        case .activityTaskScheduledEventAttributes(let attributes):
            kind = .scheduleActivity
            id = attributes.activityID
            name = attributes.activityType?.name ?? ""
        case .activityTaskCancelRequestedEventAttributes(let attributes):
            kind = .cancelActivity
            scheduled = attributes.scheduledEventID
        case .timerStartedEventAttributes(let attributes):
            kind = .startTimer
            id = attributes.timerID
        case .timerCanceledEventAttributes(let attributes):
            kind = .cancelTimer
            id = attributes.timerID
        case .workflowExecutionCompletedEventAttributes: kind = .complete
        case .workflowExecutionFailedEventAttributes: kind = .fail
        case .workflowExecutionCanceledEventAttributes: kind = .cancel
        default: return nil
        }
        eventID = event.eventID
        self.id = id
        self.name = name
        scheduledEventID = scheduled
    }

    var description: String {
        switch kind {
        case .scheduleActivity: "activity '\(name)' with id \(id ?? "")"
        case .cancelActivity: "cancelling the activity of event \(scheduledEventID)"
        case .startTimer: "timer with id \(id ?? "")"
        case .cancelTimer: "cancelling the timer with id \(id ?? "")"
        case .complete: "completing the workflow"
        case .fail: "failing the workflow"
        case .cancel: "ending the workflow as cancelled"
        }
    }
}
