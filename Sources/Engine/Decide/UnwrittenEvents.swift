internal import SagamoreAPI

extension Execution {
    /// The events at the end of the history that are not written yet: of the task that a worker has, or of a later
    /// attempt that is due. Who reads a history is shown them; they are gone when the task is lost.
    public func unwrittenEvents() -> [RecordedEvent] {
        guard isRunning else { return [] }
        if let started = volatile.startedTask {
            return startedEvents(started).map { RecordedEvent(started.isTransient ? withoutIdentity($0) : $0) }
        }
        guard let task = durable.workflowTask, task.isTransient, task.afterEventID == durable.lastEventID else {
            return []
        }
        return [RecordedEvent(scheduledEvent(nextEventID, attempt: task.attempt, at: task.scheduledAt))]
    }

    /// A later attempt's WorkflowTaskScheduled event, which is written with its completion only.
    func scheduledEvent(_ eventID: Int64, attempt: Int32, at time: Instant) -> HistoryEvent {
        var event = HistoryEvent()
        event.eventID = eventID
        event.eventTime = time.timestamp
        event.eventType = .workflowTaskScheduled
        event.attributes = .workflowTaskScheduledEventAttributes(scheduledAttributes(sticky: "", attempt: attempt))
        return event
    }

    /// Of a later attempt only its own worker is told who has it.
    private func withoutIdentity(_ event: HistoryEvent) -> HistoryEvent {
        guard case .workflowTaskStartedEventAttributes(var attributes) = event.attributes else { return event }
        var event = event
        attributes.identity = ""
        event.attributes = .workflowTaskStartedEventAttributes(attributes)
        return event
    }
}
