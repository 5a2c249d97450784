internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    /// Applies an entry. Never fails: an entry that does not match the state is ignored.
    public mutating func apply(_ entry: Entry) {
        switch entry {
        case .event(let recorded):
            durable.lastEventID = recorded.event.eventID
            durable.historyBytes += Int64(recorded.frame.count)
            apply(event: recorded.event)
        case .fact(let recorded):
            durable.factCount += 1
            durable.factBytes += Int64(recorded.frame.count)
            apply(fact: recorded.fact, afterEventID: recorded.afterEventID)
        case .volatile(let change):
            apply(change)
        }
    }

    private mutating func apply(event: HistoryEvent) {
        // Buffered events are written all together, and no outside event precedes them.
        if event.comesFromOutside, !durable.bufferedEvents.isEmpty { clearBuffer() }
        let at = event.eventTime.map(Instant.init) ?? Instant(nanoseconds: 0)
        switch event.attributes {
        case .workflowExecutionStartedEventAttributes(let attributes):
            applyStarted(attributes, at: at)
            durable.userMetadata = event.userMetadata
        case .workflowExecutionCompletedEventAttributes:
            close(.completed, at: at)
        case .workflowExecutionFailedEventAttributes:
            close(.failed, at: at)
        case .workflowExecutionTimedOutEventAttributes:
            close(.timedOut, at: at)
        case .workflowExecutionCanceledEventAttributes:
            close(.canceled, at: at)
        case .workflowExecutionTerminatedEventAttributes:
            close(.terminated, at: at)
        case .workflowExecutionContinuedAsNewEventAttributes:
            close(.continuedAsNew, at: at)
        case .workflowExecutionCancelRequestedEventAttributes:
            durable.cancelRequested = true
        case .workflowExecutionSignaledEventAttributes(let attributes):
            durable.signalCount += 1
            // Known already from a fact, unless a reset repeats the event.
            if !attributes.requestID.isEmpty { durable.requestIDs.insert(ExactText(attributes.requestID)) }
        case .workflowTaskScheduledEventAttributes(let attributes):
            applyWorkflowTaskScheduled(attributes, eventID: event.eventID, at: at)
        case .workflowTaskCompletedEventAttributes(let attributes):
            applyWorkflowTaskCompleted(attributes)
            durable.noteBuild(of: attributes, eventID: event.eventID, at: at)
        case .workflowTaskFailedEventAttributes(let attributes):
            applyWorkflowTaskLost()
            durable.closeWasRefused = attributes.cause == .unhandledCommand
            if attributes.cause == .resetWorkflow { applyReset(attributes, at: at) }
        case .workflowTaskTimedOutEventAttributes:
            applyWorkflowTaskLost()
        case .upsertWorkflowSearchAttributesEventAttributes(let attributes):
            durable.searchAttributes = merged(durable.searchAttributes, attributes.searchAttributes)
        case .workflowPropertiesModifiedEventAttributes(let attributes):
            durable.memo = merged(durable.memo, attributes.upsertedMemo)
        case .workflowExecutionUpdateAcceptedEventAttributes(let attributes):
            applyUpdateAccepted(attributes, eventID: event.eventID)
        case .workflowExecutionUpdateCompletedEventAttributes(let attributes):
            applyUpdateCompleted(attributes, eventID: event.eventID)
        case .workflowExecutionUpdateAdmittedEventAttributes(let attributes):
            applyUpdateAdmitted(attributes, eventID: event.eventID)
        default:
            applyPendingWork(event, at: at)
        }
        if !isRunning { oweAfterClose(event) }
    }

    /// Applies events that open or end something pending. An event may occur twice, when it is buffered and when it is
    /// written; the first time counts.
    mutating func applyPendingWork(_ event: HistoryEvent, at: Instant) {
        switch event.attributes {
        case .activityTaskScheduledEventAttributes(let attributes):
            insertActivity(PendingActivity(event: event, attributes: attributes))
        case .activityTaskCompletedEventAttributes(let attributes):
            removeActivity(attributes.scheduledEventID)
        case .activityTaskFailedEventAttributes(let attributes):
            removeActivity(attributes.scheduledEventID)
        case .activityTaskTimedOutEventAttributes(let attributes):
            removeActivity(attributes.scheduledEventID)
        case .activityTaskCanceledEventAttributes(let attributes):
            removeActivity(attributes.scheduledEventID)
        case .activityTaskCancelRequestedEventAttributes(let attributes):
            requestCancel(ofActivity: attributes.scheduledEventID, by: event.eventID)
        case .timerStartedEventAttributes(let attributes):
            insertTimer(
                PendingTimer(
                    startedEventID: event.eventID,
                    timerID: attributes.timerID,
                    fireAt: at + Interval(attributes.startToFireTimeout)
                )
            )
        case .workflowExecutionOptionsUpdatedEventAttributes(let attributes):
            applyOptionsUpdated(attributes, eventID: event.eventID)
        case .timerFiredEventAttributes(let attributes):
            removeTimer(attributes.startedEventID)
        case .timerCanceledEventAttributes(let attributes):
            removeTimer(attributes.startedEventID)
            dropBufferedFiring(ofTimer: attributes.startedEventID)
        default:
            applyChildrenAndOthers(event)
        }
    }

    private mutating func apply(fact: Fact, afterEventID: Int64) {
        switch fact {
        case .commandAccepted(let origin):
            durable.origin = origin
            durable.publishedStatusEvents = 1
        case .commandInherited(let origin, let count):
            durable.origin = origin
            durable.publishedStatusEvents = count
        case .activityStarted(let start): applyActivityStarted(start)
        case .activityReturned(let scheduledEventID, let attempt, let at):
            applyActivityReturned(scheduledEventID, attempt: attempt, at: at)
        case .activityRetryScheduled(let retry): applyActivityRetry(retry)
        case .eventBuffered(let event):
            durable.bufferedEvents.append(event)
            durable.bufferedBytes += event.serializedBytes().count
            applyPendingWork(event, at: event.eventTime.map(Instant.init) ?? Instant(nanoseconds: 0))
        case .workflowTaskCompleted(let completed): applyCompletedToken(completed)
        case .workflowTaskRetried(let attempt, let at):
            applyWorkflowTaskRetried(attempt: attempt, at: at, afterEventID: afterEventID)
        case .requestSeen(let id):
            // Between the first two events, the only request is the start itself. Messages that earlier runs have taken
            // come before them.
            if afterEventID == 1 { durable.startRequestID = id } else { durable.requestIDs.insert(ExactText(id)) }
        case .debtSettled(let eventID): settle(eventID)
        case .activityPaused(let scheduledEventID, let pause): applyActivityPaused(scheduledEventID, pause)
        case .activityUnpaused(let change): applyActivityUnpaused(change)
        case .activityReset(let change): applyActivityReset(change)
        case .activityOptionsChanged(let change): applyActivityOptions(change)
        case .runReset(let reset): applyReset(reset)
        case .scheduled(let schedule): durable.schedule = schedule
        case .updateRejected(let id): durable.updates[ExactText(id)] = nil
        }
    }

    private mutating func apply(_ change: VolatileChange) {
        switch change {
        case .workflowTaskStarted(let task): applyWorkflowTaskStarted(task)
        case .stickyAbandoned: volatile.stickyAbandoned = true
        case .heartbeat(let scheduledEventID, let details, let at):
            guard let activity = durable.activities[scheduledEventID] else { return }
            let known = volatile.heartbeats[scheduledEventID]
            volatile.heartbeats[scheduledEventID] = Heartbeat(
                number: activity.number,
                at: at,
                details: details ?? known?.details
            )
        case .updateAdmitted(let update): volatile.updates.append(update)
        case .updatesSettled(let ids): forgetUpdates(ids)
        case .workflowTaskSpeculated(let task): applyWorkflowTaskSpeculated(task)
        case .workflowTaskDiscarded: applyWorkflowTaskDiscarded()
        case .deadlineMoved(let deadline):
            if isRunning { volatile.deadlines.insert(deadline) }
        }
    }
}

extension HistoryEvent {
    /// Whether the event comes from outside of workflow code, so that it is buffered during a workflow task.
    fileprivate var comesFromOutside: Bool {
        switch attributes {
        case .workflowExecutionSignaledEventAttributes, .workflowExecutionCancelRequestedEventAttributes,
            .workflowExecutionOptionsUpdatedEventAttributes,
            .workflowExecutionUpdateAdmittedEventAttributes,
            .timerFiredEventAttributes, .activityTaskStartedEventAttributes, .activityTaskCompletedEventAttributes,
            .activityTaskFailedEventAttributes, .activityTaskTimedOutEventAttributes:
            true
        default:
            // ActivityTaskCanceled may also result from a command; from outside it never occurs without Started.
            comesFromOtherWorkflow
        }
    }
}
