internal import SagamoreAPI

extension Execution {
    mutating func applyWorkflowTaskScheduled(
        _ attributes: WorkflowTaskScheduledEventAttributes,
        eventID: Int64,
        at: Instant
    ) {
        let isSticky = attributes.taskQueue?.kind == .sticky
        durable.workflowTask = WorkflowTask(
            scheduledEventID: eventID,
            attempt: max(attributes.attempt, 1),
            scheduledAt: at,
            stickyQueue: isSticky ? attributes.taskQueue?.name ?? "" : "",
            afterEventID: eventID
        )
        durable.firstTaskDueAt = nil
        // A lost later attempt leaves no event; the next scheduled task replaces it.
        volatile.startedTask = nil
        volatile.stickyAbandoned = false
        for deadline in workflowTaskDeadlines() { arm(deadline) }
    }

    mutating func applyWorkflowTaskRetried(attempt: Int32, at: Instant, afterEventID: Int64) {
        durable.workflowTask = WorkflowTask(
            scheduledEventID: 0,
            attempt: attempt,
            scheduledAt: at,
            stickyQueue: "",
            afterEventID: afterEventID
        )
        volatile.startedTask = nil
    }

    mutating func applyWorkflowTaskStarted(_ task: StartedWorkflowTask) {
        volatile.startedTask = task
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
        volatile.startedTask = nil
        durable.closeWasRefused = false
    }

    /// Ends a task that failed or timed out. The worker's cache is no longer trusted.
    mutating func applyWorkflowTaskLost() {
        durable.workflowTask = nil
        durable.stickyQueue = ""
        durable.stickyScheduleToStart = .zero
        volatile.startedTask = nil
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
        guard let task = durable.workflowTask, !task.stickyQueue.isEmpty, !volatile.stickyAbandoned,
            durable.stickyScheduleToStart.isSet
        else { return [] }
        return [
            Deadline(
                at: task.scheduledAt + durable.stickyScheduleToStart,
                kind: .workflowTaskScheduleToStart,
                id: task.scheduledEventID
            )
        ]
    }
}
