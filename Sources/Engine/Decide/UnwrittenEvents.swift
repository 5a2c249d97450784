internal import SagamoreAPI

extension Execution {
    /// The unwritten events at the end of the history: those of a started task, or of an unwritten one that is due.
    /// Readers of the history see them; they disappear when the task is lost.
    public func unwrittenEvents() -> [RecordedEvent] {
        guard isRunning else { return [] }
        if let started = volatile.startedTask {
            return startedEvents(started).map { RecordedEvent(started.form != .written ? withoutIdentity($0) : $0) }
        }
        guard let task = workflowTask, task.form != .written, task.afterEventID == durable.lastEventID else {
            return []
        }
        return [
            RecordedEvent(
                scheduledEvent(nextEventID, attempt: task.attempt, at: task.scheduledAt, sticky: task.stickyQueue)
            )
        ]
    }

    /// The WorkflowTaskScheduled event of a task that is written later or not at all.
    func scheduledEvent(_ eventID: Int64, attempt: Int32, at time: Instant, sticky stickyQueue: String) -> HistoryEvent
    {
        var event = HistoryEvent()
        event.eventID = eventID
        event.eventTime = time.timestamp
        event.eventType = .workflowTaskScheduled
        event.attributes = .workflowTaskScheduledEventAttributes(
            scheduledAttributes(sticky: stickyQueue, attempt: attempt)
        )
        return event
    }

    /// Only the worker of an unwritten task sees its identity in the event.
    private func withoutIdentity(_ event: HistoryEvent) -> HistoryEvent {
        guard case .workflowTaskStartedEventAttributes(var attributes) = event.attributes else { return event }
        var event = event
        attributes.identity = ""
        event.attributes = .workflowTaskStartedEventAttributes(attributes)
        return event
    }
}
