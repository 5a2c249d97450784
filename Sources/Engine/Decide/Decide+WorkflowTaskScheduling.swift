internal import SagamoreAPI
internal import SagamoreProtobuf

/// A placeholder in a buffered event for the id of an ActivityTaskStarted event that is also buffered.
let bufferedStartedEventID: Int64 = -123

extension Execution {
    /// Writes WorkflowTaskScheduled unless a task is due, and offers the task after a start delay.
    ///
    /// - Parameter endsStartDelay: whether to end a start delay.
    func scheduleWorkflowTask(in draft: inout Draft, endsStartDelay: Bool = false) {
        let isDelayed = durable.firstTaskDueAt != nil && !endsStartDelay
        guard workflowTask == nil, !isDelayed, !draft.isClosed else { return }
        writeWorkflowTaskScheduled(in: &draft, sticky: durable.stickyQueue)
    }

    func writeWorkflowTaskScheduled(in draft: inout Draft, sticky stickyQueue: String, attempt: Int32 = 1) {
        let event = draft.event(
            .workflowTaskScheduled,
            .workflowTaskScheduledEventAttributes(scheduledAttributes(sticky: stickyQueue, attempt: attempt))
        )
        draft.decision.offers.append(
            .workflow(
                route: route,
                stickyQueue: stickyQueue,
                stamp: WorkflowTaskStamp(scheduledEventID: event.id, attempt: attempt)
            )
        )
    }

    func scheduledAttributes(sticky stickyQueue: String, attempt: Int32) -> WorkflowTaskScheduledEventAttributes {
        var attributes = WorkflowTaskScheduledEventAttributes()
        var queue = TaskQueue()
        if stickyQueue.isEmpty {
            queue.name = durable.taskQueue
            queue.kind = .normal
        } else {
            queue.name = stickyQueue
            queue.kind = .sticky
            queue.normalName = durable.taskQueue
        }
        attributes.taskQueue = queue
        attributes.startToCloseTimeout = taskTimeout(attempt: attempt).duration
        attributes.attempt = attempt
        return attributes
    }

    /// The timeout of an attempt of a workflow task.
    func taskTimeout(attempt: Int32) -> Interval {
        let whole = durable.taskTimeout.nanoseconds
        let longer = RetryRules.workflowTaskExtension(attempt: attempt).nanoseconds
        let (sum, overflow) = whole.addingReportingOverflow(longer)
        return Interval(nanoseconds: overflow ? .max : sum)
    }

    /// Writes the events that were buffered during a workflow task. Ends of activities come last, since theirs is the
    /// only order that workers must not rely on, and so do those of children. A started event of an activity or a child
    /// is linked with the end that names it.
    func flushBufferedEvents(in draft: inout Draft) {
        var ends: [HistoryEvent] = []
        // By the first event of the activity or child.
        var started: [Int64: Int64] = [:]
        for event in durable.bufferedEvents {
            if draft.drops(event) { continue }
            if event.endedActivity != nil || event.endedChild != nil {
                ends.append(event)
                continue
            }
            let written = draft.append(event)
            switch written.event.attributes {
            case .activityTaskStartedEventAttributes(let attributes):
                started[attributes.scheduledEventID] = written.id
            case .childWorkflowExecutionStartedEventAttributes(let attributes):
                started[attributes.initiatedEventID] = written.id
            default: break
            }
        }
        for event in ends { draft.append(event.linked(to: started)) }
    }

    /// Whether another workflow task is needed after the running one.
    func hasBufferedEvents(besides draft: Draft) -> Bool {
        durable.bufferedEvents.contains { !draft.drops($0) }
    }
}

extension Draft {
    /// Whether a buffered event is a withdrawn timer firing.
    fileprivate func drops(_ event: HistoryEvent) -> Bool {
        guard !droppedFirings.isEmpty, case .timerFiredEventAttributes(let attributes) = event.attributes else {
            return false
        }
        return droppedFirings.contains(attributes.startedEventID)
    }
}

extension HistoryEvent {
    /// The scheduled event's id of the activity that this event ends.
    var endedActivity: Int64? {
        switch attributes {
        case .activityTaskCompletedEventAttributes(let attributes): attributes.scheduledEventID
        case .activityTaskFailedEventAttributes(let attributes): attributes.scheduledEventID
        case .activityTaskTimedOutEventAttributes(let attributes): attributes.scheduledEventID
        case .activityTaskCanceledEventAttributes(let attributes): attributes.scheduledEventID
        default: nil
        }
    }

    fileprivate func linked(to started: [Int64: Int64]) -> HistoryEvent {
        var event = self
        func real(_ id: Int64, _ scheduled: Int64) -> Int64 {
            id == bufferedStartedEventID ? started[scheduled] ?? 0 : id
        }
        switch attributes {
        case .activityTaskCompletedEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.scheduledEventID)
            event.attributes = .activityTaskCompletedEventAttributes(attributes)
        case .activityTaskFailedEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.scheduledEventID)
            event.attributes = .activityTaskFailedEventAttributes(attributes)
        case .activityTaskTimedOutEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.scheduledEventID)
            event.attributes = .activityTaskTimedOutEventAttributes(attributes)
        case .activityTaskCanceledEventAttributes(var attributes):
            attributes.startedEventID = real(attributes.startedEventID, attributes.scheduledEventID)
            event.attributes = .activityTaskCanceledEventAttributes(attributes)
        default: return linked(toChildren: started)
        }
        return event
    }
}
