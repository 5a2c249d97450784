internal import SagamoreAPI
internal import SagamoreProtobuf

/// What the code asks for becomes events.
extension HistoryBook {
    func write(_ command: Command) throws {
        switch command.attributes {
        case .scheduleActivityTaskCommandAttributes(let schedule):
            var attributes = ActivityTaskScheduledEventAttributes()
            attributes.activityID = schedule.activityID
            attributes.activityType = schedule.activityType
            attributes.input = schedule.input
            append(.activityTaskScheduled, .activityTaskScheduledEventAttributes(attributes))
            scheduled[schedule.activityType?.name ?? ""] = Int64(events.count)
        case .requestCancelActivityTaskCommandAttributes(let cancel):
            guard scheduled.values.contains(cancel.scheduledEventID) else {
                throw IllegalEventError(description: "event \(cancel.scheduledEventID) is no activity that is open")
            }
            var attributes = ActivityTaskCancelRequestedEventAttributes()
            attributes.scheduledEventID = cancel.scheduledEventID
            append(.activityTaskCancelRequested, .activityTaskCancelRequestedEventAttributes(attributes))
        case .startTimerCommandAttributes(let start):
            timers.insert(start.timerID)
            var attributes = TimerStartedEventAttributes()
            attributes.timerID = start.timerID
            append(.timerStarted, .timerStartedEventAttributes(attributes))
        case .cancelTimerCommandAttributes(let cancel):
            guard timers.remove(cancel.timerID) != nil else {
                throw IllegalEventError(description: "'\(cancel.timerID)' is no timer that runs")
            }
            var attributes = TimerCanceledEventAttributes()
            attributes.timerID = cancel.timerID
            append(.timerCanceled, .timerCanceledEventAttributes(attributes))
        case .completeWorkflowExecutionCommandAttributes(let complete):
            var attributes = WorkflowExecutionCompletedEventAttributes()
            attributes.result = complete.result
            append(.workflowExecutionCompleted, .workflowExecutionCompletedEventAttributes(attributes))
        case .failWorkflowExecutionCommandAttributes(let fail):
            var attributes = WorkflowExecutionFailedEventAttributes()
            attributes.failure = fail.failure
            append(.workflowExecutionFailed, .workflowExecutionFailedEventAttributes(attributes))
        case .cancelWorkflowExecutionCommandAttributes(let cancel):
            var attributes = WorkflowExecutionCanceledEventAttributes()
            attributes.details = cancel.details
            append(.workflowExecutionCanceled, .workflowExecutionCanceledEventAttributes(attributes))
        case .continueAsNewWorkflowExecutionCommandAttributes(let next):
            var attributes = WorkflowExecutionContinuedAsNewEventAttributes()
            attributes.input = next.input
            append(.workflowExecutionContinuedAsNew, .workflowExecutionContinuedAsNewEventAttributes(attributes))
        case .protocolMessageCommandAttributes(let reference):
            guard let message = lastMessages.first(where: { $0.id == reference.messageID }) else {
                throw IllegalEventError(description: "there is no message '\(reference.messageID)'")
            }
            try write(message)
        default:
            try writeForOtherWorkflow(command)
        }
    }

    private func write(_ message: ProtocolMessage) throws {
        if let body = try message.body?.unpacked(as: Acceptance.self) {
            var attributes = WorkflowExecutionUpdateAcceptedEventAttributes()
            attributes.protocolInstanceID = message.protocolInstanceID
            attributes.acceptedRequestMessageID = body.acceptedRequestMessageID
            attributes.acceptedRequestSequencingEventID = body.acceptedRequestSequencingEventID
            attributes.acceptedRequest = body.acceptedRequest
            append(.workflowExecutionUpdateAccepted, .workflowExecutionUpdateAcceptedEventAttributes(attributes))
        } else if let body = try message.body?.unpacked(as: Response.self) {
            var attributes = WorkflowExecutionUpdateCompletedEventAttributes()
            attributes.meta = body.meta
            attributes.outcome = body.outcome
            append(.workflowExecutionUpdateCompleted, .workflowExecutionUpdateCompletedEventAttributes(attributes))
        } else {
            throw IllegalEventError(description: "a command names the message '\(message.id)', which needs none")
        }
    }

    private func writeForOtherWorkflow(_ command: Command) throws {
        switch command.attributes {
        case .startChildWorkflowExecutionCommandAttributes(let start):
            var attributes = StartChildWorkflowExecutionInitiatedEventAttributes()
            attributes.workflowID = start.workflowID
            attributes.workflowType = start.workflowType
            append(
                .startChildWorkflowExecutionInitiated,
                .startChildWorkflowExecutionInitiatedEventAttributes(attributes)
            )
            initiated[start.workflowID] = Int64(events.count)
        case .signalExternalWorkflowExecutionCommandAttributes(let signal):
            var attributes = SignalExternalWorkflowExecutionInitiatedEventAttributes()
            attributes.workflowExecution = signal.execution
            attributes.signalName = signal.signalName
            append(
                .signalExternalWorkflowExecutionInitiated,
                .signalExternalWorkflowExecutionInitiatedEventAttributes(attributes)
            )
            initiated[signal.signalName] = Int64(events.count)
        case .requestCancelExternalWorkflowExecutionCommandAttributes(let cancel):
            var attributes = RequestCancelExternalWorkflowExecutionInitiatedEventAttributes()
            attributes.workflowExecution = WorkflowExecution(workflowID: cancel.workflowID, runID: cancel.runID)
            append(
                .requestCancelExternalWorkflowExecutionInitiated,
                .requestCancelExternalWorkflowExecutionInitiatedEventAttributes(attributes)
            )
        default:
            throw IllegalEventError(
                description: "a command that the test's server doesn't know: \(command.commandType)"
            )
        }
    }

    static func describe(_ command: Command) -> String {
        switch command.attributes {
        case .scheduleActivityTaskCommandAttributes(let it): "schedule \(it.activityType?.name ?? "")"
        case .requestCancelActivityTaskCommandAttributes: "cancel activity"
        case .startTimerCommandAttributes(let it): "timer \(it.timerID)"
        case .cancelTimerCommandAttributes(let it): "cancel timer \(it.timerID)"
        case .completeWorkflowExecutionCommandAttributes: "complete"
        case .failWorkflowExecutionCommandAttributes: "fail"
        case .cancelWorkflowExecutionCommandAttributes: "cancel"
        case .continueAsNewWorkflowExecutionCommandAttributes: "continue as new"
        case .startChildWorkflowExecutionCommandAttributes(let it): "child \(it.workflowID)"
        case .signalExternalWorkflowExecutionCommandAttributes(let it):
            "signal \(it.signalName) to \(it.execution?.workflowID ?? "")"
        case .requestCancelExternalWorkflowExecutionCommandAttributes(let it): "cancel workflow \(it.workflowID)"
        case .protocolMessageCommandAttributes(let it): it.messageID
        default: "\(command.commandType)"
        }
    }
}
