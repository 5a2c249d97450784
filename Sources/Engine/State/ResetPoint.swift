public import SagamoreAPI

/// What a reset has to know of the history before its point: whether it ends within a workflow task.
public struct ResetPoint: Sendable {
    /// How far the last workflow task before the point has come.
    enum Task: Equatable {
        /// There is none, or it completed. Can transition to: scheduled.
        case none
        /// It is due. Can transition to: started, lost.
        case scheduled
        /// A worker holds it. Can transition to: none, lost.
        case started(eventID: Int64)
        /// It failed or timed out, and its next attempt is due. Can transition to: scheduled.
        case lost
    }

    private(set) var task = Task.none
    private var last: HistoryEvent?
    /// The activities, by their scheduled events, that have a start and no end yet.
    private var runningActivities: Set<Int64> = []

    public init() {}

    /// Takes the next event before the point.
    public mutating func take(_ event: HistoryEvent) {
        switch event.attributes {
        case .workflowTaskScheduledEventAttributes: task = .scheduled
        case .workflowTaskStartedEventAttributes: task = .started(eventID: event.eventID)
        case .workflowTaskCompletedEventAttributes: task = .none
        case .workflowTaskFailedEventAttributes, .workflowTaskTimedOutEventAttributes: task = .lost
        case .activityTaskStartedEventAttributes(let started): runningActivities.insert(started.scheduledEventID)
        default: if let ended = event.endedActivity { runningActivities.remove(ended) }
        }
        last = event
    }

    /// Checks that a run can begin here.
    ///
    /// - Parameter next: the event at the point.
    /// - Throws: `invalidArgument` if the point is within events that belong together, or outside of a workflow task.
    public func check(_ next: HistoryEvent) throws(RequestError) {
        guard isBoundary(before: next) else {
            throw .invalidArgument(
                "StateRebuilder unable to Rebuild mutable state to event ID: \(next.eventID - 1), version: 0, "
                    + "this event must be at the boundary"
            )
        }
        guard task != .none else {
            throw .invalidArgument(
                "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: "
                    + "\(next.eventID)"
            )
        }
    }

    /// Whether `next` begins what one decision has written.
    private func isBoundary(before next: HistoryEvent) -> Bool {
        // The end of an activity is written with its start.
        guard runningActivities.isEmpty else { return false }
        switch next.eventType {
        case .workflowTaskScheduled:
            // A later attempt is written when it ends.
            guard case .workflowTaskScheduledEventAttributes(let scheduled) = next.attributes else { return false }
            return scheduled.attempt > 1
        case .workflowTaskStarted:
            // A later attempt is written as a whole, when it ends.
            guard case .workflowTaskScheduledEventAttributes(let scheduled)? = last?.attributes else { return true }
            return scheduled.attempt <= 1
        case .workflowExecutionTerminated, .workflowExecutionTimedOut:
            guard case .workflowTaskFailedEventAttributes(let failed)? = last?.attributes else { return true }
            return failed.cause != .forceCloseCommand
        case .workflowTaskCompleted, .workflowTaskFailed, .workflowTaskTimedOut, .workflowExecutionSignaled,
            .workflowExecutionCancelRequested, .workflowExecutionUpdateAdmitted, .workflowExecutionOptionsUpdated,
            .timerFired, .activityTaskStarted, .activityTaskTimedOut, .startChildWorkflowExecutionFailed,
            .childWorkflowExecutionStarted, .childWorkflowExecutionCompleted, .childWorkflowExecutionFailed,
            .childWorkflowExecutionCanceled, .childWorkflowExecutionTimedOut, .childWorkflowExecutionTerminated,
            .signalExternalWorkflowExecutionFailed, .externalWorkflowExecutionSignaled,
            .requestCancelExternalWorkflowExecutionFailed, .externalWorkflowExecutionCancelRequested:
            return true
        default: return false
        }
    }
}
