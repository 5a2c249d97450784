internal import SagamoreAPI
internal import SagamoreProtobuf

/// What happened from one workflow task to the next.
struct Activation {
    /// Events that confirm the commands of the activation before.
    var commandEvents: [CommandEvent] = []
    /// Events that the code hears of, in their order.
    var news: [HistoryEvent] = []
    /// The workflow task's start, 0 in a part that no task has seen.
    var startedEventID: Int64 = 0
    /// The time of the workflow task's start: the time that the code sees.
    var time = ProtobufTimestamp()
    /// A worker has answered this task already: its commands were sent.
    var isReplay = true
}

/// Cuts a history, or the part since the last workflow task, into activations.
///
/// A task that failed or timed out never happened: what it would have seen belongs to the next one. So the boundaries
/// are the same whether the history comes piece by piece or whole.
enum HistorySplitter {
    /// The activations, and what follows the last of them: commands to confirm and news that no task has seen.
    static func split(_ events: [HistoryEvent]) -> (activations: [Activation], rest: Activation) {
        var activations: [Activation] = []
        var current = Activation()
        for (index, event) in events.enumerated() {
            switch event.eventType {
            case .workflowTaskStarted:
                let next = index + 1 < events.count ? events[index + 1].eventType : nil
                guard next == nil || next == .workflowTaskCompleted else { continue }
                current.startedEventID = event.eventID
                current.time = event.eventTime ?? ProtobufTimestamp()
                current.isReplay = next != nil
                activations.append(current)
                current = Activation()
            case .workflowExecutionStarted, .workflowExecutionSignaled, .workflowExecutionCancelRequested,
                .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled, .timerFired:
                current.news.append(event)
            default:
                if let commandEvent = CommandEvent(event) { current.commandEvents.append(commandEvent) }
            }
        }
        return (activations, current)
    }
}
