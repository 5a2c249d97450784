internal import SagamoreAPI
internal import SagamoreProtobuf

/// The events from one workflow task to the next.
struct Activation {
    /// Events that confirm the previous activation's commands.
    var commandEvents: [CommandEvent] = []
    /// Events that are delivered to the code, in order.
    var news: [HistoryEvent] = []
    /// Updates that arrived with the workflow task.
    var updates: [UpdateInput] = []
    /// The id of the workflow task's start; 0 for events that no task has seen.
    var startedEventID: Int64 = 0
    /// When the workflow task started: the code's current time.
    var time = ProtobufTimestamp()
    /// Whether a worker completed this task before, so that its commands were sent.
    var isReplay = true
    /// Whether the server suggests to continue as new.
    var suggestsContinueAsNew = false
    /// The size of the history in bytes, as the server counts.
    var historyBytes: Int64 = 0
}

/// Splits a history, or the part since the last workflow task, into activations.
///
/// A task that failed or timed out counts as if it never ran: its events belong to the next one. So the boundaries are
/// the same whether the history arrives in pieces or whole.
enum HistorySplitter {
    /// Returns the activations, and the events after the last one, which no task has seen.
    static func split(_ events: [HistoryEvent]) -> (activations: [Activation], rest: Activation) {
        var activations: [Activation] = []
        var current = Activation()
        var admitted: [String: Request] = [:]
        for (index, event) in events.enumerated() {
            switch event.eventType {
            case .workflowTaskStarted:
                let next = index + 1 < events.count ? events[index + 1].eventType : nil
                guard next == nil || next == .workflowTaskCompleted else { continue }
                current.startedEventID = event.eventID
                current.time = event.eventTime ?? ProtobufTimestamp()
                current.isReplay = next != nil
                if case .workflowTaskStartedEventAttributes(let started) = event.attributes {
                    current.suggestsContinueAsNew = started.suggestContinueAsNew
                    current.historyBytes = started.historySizeBytes
                }
                activations.append(current)
                current = Activation()
            case .workflowExecutionStarted, .workflowExecutionSignaled, .workflowExecutionCancelRequested,
                .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled, .timerFired,
                .childWorkflowExecutionStarted, .startChildWorkflowExecutionFailed, .childWorkflowExecutionCompleted,
                .childWorkflowExecutionFailed, .childWorkflowExecutionCanceled, .childWorkflowExecutionTimedOut,
                .childWorkflowExecutionTerminated, .externalWorkflowExecutionSignaled,
                .signalExternalWorkflowExecutionFailed, .externalWorkflowExecutionCancelRequested,
                .requestCancelExternalWorkflowExecutionFailed, .workflowTaskFailed:
                current.news.append(event)
            default:
                if case .workflowExecutionUpdateAdmittedEventAttributes(let attributes) = event.attributes,
                    let request = attributes.request
                {
                    admitted[request.meta?.updateID ?? ""] = request
                }
                // The event follows the task that the update arrived with.
                if case .workflowExecutionUpdateAcceptedEventAttributes(let accepted) = event.attributes,
                    !activations.isEmpty
                {
                    let request = accepted.acceptedRequest ?? admitted[accepted.protocolInstanceID]
                    let update = UpdateInput(accepted, request)
                    activations[activations.count - 1].updates.append(update)
                }
                if let commandEvent = CommandEvent(event) { current.commandEvents.append(commandEvent) }
            }
        }
        return (activations, current)
    }
}
