internal import SagamoreAPI

extension Execution {
    /// The unwritten events at the end of the history: those of a started task, or of a later attempt that is due.
    /// Readers of the history see them; they disappear when the task is lost.
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

    /// The WorkflowTaskScheduled event of a later attempt, which is written only with its completion.
    func scheduledEvent(_ eventID: Int64, attempt: Int32, at time: Instant) -> HistoryEvent {
        var event = HistoryEvent()
        event.eventID = eventID
        event.eventTime = time.timestamp
        event.eventType = .workflowTaskScheduled
        event.attributes = .workflowTaskScheduledEventAttributes(scheduledAttributes(sticky: "", attempt: attempt))
        return event
    }

    /// Only the worker of a later attempt sees its identity in the event.
    private func withoutIdentity(_ event: HistoryEvent) -> HistoryEvent {
        guard case .workflowTaskStartedEventAttributes(var attributes) = event.attributes else { return event }
        var event = event
        attributes.identity = ""
        event.attributes = .workflowTaskStartedEventAttributes(attributes)
        return event
    }
}
