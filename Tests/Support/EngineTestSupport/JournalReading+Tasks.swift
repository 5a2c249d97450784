internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What the journal says of workflow tasks and of the events that wait for their end.
extension JournalReading {
    var workflowTask: String? {
        var task: String?
        for entry in entries {
            switch entry {
            case .event(let recorded):
                let event = recorded.event
                switch event.attributes {
                case .workflowTaskScheduledEventAttributes(let attributes):
                    let queue = attributes.taskQueue
                    task = describe(
                        id: event.eventID,
                        attempt: attributes.attempt,
                        at: event.eventTime.map(Instant.init) ?? .distantPast,
                        sticky: queue?.kind == .sticky ? queue?.name ?? "" : "",
                        after: event.eventID
                    )
                case .workflowTaskCompletedEventAttributes, .workflowTaskFailedEventAttributes,
                    .workflowTaskTimedOutEventAttributes:
                    task = nil
                default:
                    if event.closesRun { task = nil }
                }
            case .fact(let recorded):
                guard case .workflowTaskRetried(let attempt, let at) = recorded.fact else { continue }
                task = describe(id: 0, attempt: attempt, at: at, sticky: "", after: recorded.afterEventID)
            case .volatile: continue
            }
        }
        return task
    }

    func describe(_ task: WorkflowTask) -> String {
        describe(
            id: task.scheduledEventID,
            attempt: task.attempt,
            at: task.scheduledAt,
            sticky: task.stickyQueue,
            after: task.afterEventID
        )
    }

    private func describe(id: Int64, attempt: Int32, at: Instant, sticky: String, after: Int64) -> String {
        "\(id)#\(attempt) at \(at.nanoseconds) on '\(sticky)' after \(after)"
    }

    var previousStartedEventID: Int64 {
        for recorded in events.reversed() {
            if case .workflowTaskCompletedEventAttributes(let attributes) = recorded.event.attributes {
                return attributes.startedEventID
            }
        }
        return 0
    }

    var completedTask: Fact.CompletedWorkflowTask? {
        facts.compactMap { if case .workflowTaskCompleted(let task) = $0.fact { task } else { nil } }.last
    }

    var stickiness: (queue: String, scheduleToStart: Interval) {
        for entry in entries.reversed() {
            switch entry {
            case .event(let recorded):
                let type = recorded.event.eventType
                if type == .workflowTaskFailed || type == .workflowTaskTimedOut { return ("", .zero) }
            case .fact(let recorded):
                if case .workflowTaskCompleted(let task) = recorded.fact {
                    return (task.stickyQueue, task.stickyScheduleToStart)
                }
            case .volatile: continue
            }
        }
        return ("", .zero)
    }

    /// The events that were buffered and are not written yet, nor taken back.
    var bufferedEvents: [HistoryEvent] {
        var waiting: [HistoryEvent] = []
        for entry in entries {
            switch entry {
            case .event(let recorded):
                if case .timerCanceledEventAttributes(let attributes) = recorded.event.attributes {
                    waiting.removeAll { $0.subject == "timer \(attributes.startedEventID)" }
                } else if let subject = recorded.event.subject, recorded.event.eventType != .activityTaskCanceled {
                    remove(subject, recorded.event, from: &waiting)
                } else if case .activityTaskCanceledEventAttributes(let attributes) = recorded.event.attributes,
                    attributes.startedEventID != 0, let subject = recorded.event.subject
                {
                    remove(subject, recorded.event, from: &waiting)
                }
            case .fact(let recorded):
                if case .eventBuffered(let event) = recorded.fact { waiting.append(event) }
            case .volatile: continue
            }
        }
        return waiting
    }

    private func remove(_ subject: String, _ event: HistoryEvent, from waiting: inout [HistoryEvent]) {
        let index = waiting.firstIndex { $0.subject == subject && $0.eventType == event.eventType }
        if let index { waiting.remove(at: index) }
    }
}

extension HistoryEvent {
    var closesRun: Bool {
        [
            EventType.workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionTimedOut,
            .workflowExecutionCanceled, .workflowExecutionTerminated,
            .workflowExecutionContinuedAsNew,
        ].contains(eventType)
    }

    /// What an event from outside is about; nil for other events.
    var subject: String? {
        switch attributes {
        case .workflowExecutionSignaledEventAttributes(let attributes): "signal \(attributes.signalName)"
        case .workflowExecutionCancelRequestedEventAttributes: "cancellation"
        case .workflowExecutionOptionsUpdatedEventAttributes(let attributes):
            attributes.attachedRequestID.isEmpty ? "options" : "start \(attributes.attachedRequestID)"
        case .workflowExecutionUpdateAdmittedEventAttributes(let attributes):
            "update \(attributes.request?.meta?.updateID ?? "")"
        case .timerFiredEventAttributes(let attributes): "timer \(attributes.startedEventID)"
        case .activityTaskStartedEventAttributes(let attributes): "activity \(attributes.scheduledEventID)"
        case .activityTaskCompletedEventAttributes(let attributes): "activity \(attributes.scheduledEventID)"
        case .activityTaskFailedEventAttributes(let attributes): "activity \(attributes.scheduledEventID)"
        case .activityTaskTimedOutEventAttributes(let attributes): "activity \(attributes.scheduledEventID)"
        case .activityTaskCanceledEventAttributes(let attributes): "activity \(attributes.scheduledEventID)"
        case .childWorkflowExecutionStartedEventAttributes(let attributes): "child \(attributes.initiatedEventID)"
        default: outcomeOf.map { "child or other \($0)" }
        }
    }

    var endsActivity: Bool {
        [EventType.activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled]
            .contains(eventType)
    }
}
