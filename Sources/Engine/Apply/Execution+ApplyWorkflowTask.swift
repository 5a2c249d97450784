internal import SagamoreAPI

extension Execution {
    mutating func applyWorkflowTaskScheduled(
        _ attributes: WorkflowTaskScheduledEventAttributes,
        eventID: Int64,
        at: Instant
    ) {
        let isSticky = attributes.taskQueue?.kind == .sticky
        durable.workflowTask = WorkflowTask(
            form: .written,
            scheduledEventID: eventID,
            attempt: max(attributes.attempt, 1),
            scheduledAt: at,
            stickyQueue: isSticky ? attributes.taskQueue?.name ?? "" : "",
            afterEventID: eventID
        )
        durable.firstTaskDueAt = nil
        let isSpeculative = volatile.speculativeTask?.scheduledEventID == eventID
        volatile.speculativeTask = nil
        if isSpeculative, let started = volatile.startedTask, started.form == .speculative {
            // The worker goes on. Nobody knows any more who it was when the events are written.
            volatile.startedTask?.form = .written
            volatile.startedTask?.identity = ""
            return
        }
        // A lost later attempt leaves no event; the next scheduled task replaces it.
        endStartedTask()
        if !isSpeculative { volatile.stickyAbandoned = false }
        for deadline in workflowTaskDeadlines() { arm(deadline) }
    }

    mutating func applyWorkflowTaskRetried(attempt: Int32, at: Instant, afterEventID: Int64) {
        durable.workflowTask = WorkflowTask(
            form: .transient,
            scheduledEventID: 0,
            attempt: attempt,
            scheduledAt: at,
            stickyQueue: "",
            afterEventID: afterEventID
        )
        endStartedTask()
    }

    mutating func applyWorkflowTaskSpeculated(_ task: WorkflowTask) {
        guard isRunning else { return }
        volatile.speculativeTask = task
        volatile.stickyAbandoned = false
        for deadline in workflowTaskDeadlines() { arm(deadline) }
    }

    mutating func applyWorkflowTaskDiscarded() {
        volatile.speculativeTask = nil
        endStartedTask()
    }

    /// No worker holds the workflow task any longer. What it carried and did not answer goes with the next one.
    private mutating func endStartedTask() {
        volatile.startedTask = nil
        for index in volatile.updates.indices { volatile.updates[index].isSent = false }
    }

    mutating func applyWorkflowTaskStarted(_ task: StartedWorkflowTask) {
        volatile.startedTask = task
        for index in volatile.updates.indices { volatile.updates[index].isSent = true }
        arm(
            Deadline(
                at: task.startedAt + task.timeout,
                kind: .workflowTaskStartToClose,
                id: task.startedEventID,
                attempt: task.attempt
            )
        )
    }

    mutating func applyWorkflowTaskCompleted(_ attributes: WorkflowTaskCompletedEventAttributes) {
        durable.workflowTask = nil
        durable.previousStartedEventID = attributes.startedEventID
        endStartedTask()
        durable.closeWasRefused = false
    }

    /// Ends a task that failed or timed out. The worker's cache is no longer trusted.
    mutating func applyWorkflowTaskLost() {
        durable.workflowTask = nil
        durable.stickyQueue = ""
        durable.stickyScheduleToStart = .zero
        endStartedTask()
        durable.closeWasRefused = false
    }

    mutating func applyCompletedToken(_ completed: Fact.CompletedWorkflowTask) {
        durable.completedTask = completed
        durable.stickyQueue = completed.stickyQueue
        durable.stickyScheduleToStart = completed.stickyScheduleToStart
    }

    func workflowTaskDeadlines() -> [Deadline] {
        if let started = volatile.startedTask {
            return [
                Deadline(
                    at: started.startedAt + started.timeout,
                    kind: .workflowTaskStartToClose,
                    id: started.startedEventID,
                    attempt: started.attempt
                )
            ]
        }
        guard let task = workflowTask, let wait = longestWait(of: task) else { return [] }
        return [
            Deadline(
                at: task.scheduledAt + wait,
                kind: .workflowTaskScheduleToStart,
                id: task.scheduledEventID
            )
        ]
    }

    /// How long a task may wait for a worker; nil for ever.
    private func longestWait(of task: WorkflowTask) -> Interval? {
        let isSpeculative = task.form == .speculative
        if !task.stickyQueue.isEmpty, durable.stickyScheduleToStart.isSet, isSpeculative || !volatile.stickyAbandoned {
            return durable.stickyScheduleToStart
        }
        return isSpeculative ? speculativeScheduleToStart : nil
    }
}

/// How long a speculative task may wait for a worker before it is written and offered anew. Temporal's.
private let speculativeScheduleToStart = Interval.seconds(5)
