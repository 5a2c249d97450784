internal import SagamoreAPI
package import SagamoreEngine

/// What kinds of things happened, and how often.
package struct Coverage: Sendable {
    private var counts: [String: Int] = [:]

    package init() {}

    package mutating func count(_ kind: String) { counts[kind, default: 0] += 1 }

    package mutating func merge(_ other: Coverage) { counts.merge(other.counts) { $0 + $1 } }

    package mutating func count(_ decision: Decision) {
        for entry in decision.entries {
            switch entry {
            case .event(let recorded): count(recorded.event)
            case .fact(let recorded):
                count("fact \(recorded.fact.kind)")
                if case .eventBuffered(let event) = recorded.fact { count("buffered \(event.eventType.shortName)") }
            case .volatile(let change): count("volatile \(change.outline.prefix { $0 != " " })")
            }
        }
        for offer in decision.offers {
            if case .workflow(_, let sticky, _) = offer, !sticky.isEmpty { count("offer sticky") }
        }
        if decision.successor != nil { count("successor") }
        for news in decision.updates { count("update \(news.kind.name)") }
        for event in decision.statusEvents { count("status \(event.status.rawValue)") }
        switch decision.reply {
        case .done: count("reply done")
        case .workflowTask: count("reply workflowTask")
        case .activityTask: count("reply activityTask")
        case .heartbeat(let answer):
            count("reply heartbeat \(answer.cancelRequested)")
            if answer.isPaused { count("reply heartbeat paused") }
            if answer.isReset { count("reply heartbeat reset") }
        case .activityOptions: count("reply activityOptions")
        case .completion(let answer):
            count("reply completion")
            if !answer.eagerActivities.isEmpty { count("answer eagerActivities") }
            if let next = answer.nextTask { count("answer nextTask \(next.task.form)") }
        case .options: count("reply options")
        case .refused: count("reply refused")
        }
    }

    private mutating func count(_ event: HistoryEvent) {
        count("event \(event.eventType.shortName)")
        switch event.attributes {
        case .workflowTaskTimedOutEventAttributes(let attributes): count("workflow task \(attributes.timeoutType)")
        case .workflowTaskFailedEventAttributes(let attributes): count("\(attributes.cause)")
        case .workflowTaskScheduledEventAttributes(let attributes):
            if attributes.attempt > 1 { count("later workflow task attempt written") }
        case .activityTaskFailedEventAttributes(let attributes): count("activity failed \(attributes.retryState)")
        case .activityTaskTimedOutEventAttributes(let attributes):
            count("activity timed out \(attributes.retryState)")
            if case .timeoutFailureInfo(let info) = (try? attributes.failure?.decoded())?.failureInfo {
                count("activity \(info.timeoutType)")
            }
        case .workflowExecutionTimedOutEventAttributes(let attributes):
            count("run timed out \(attributes.retryState)")
            if !attributes.newExecutionRunID.isEmpty { count("followed TimedOut") }
        case .workflowExecutionFailedEventAttributes(let attributes):
            count("run failed \(attributes.retryState)")
            if !attributes.newExecutionRunID.isEmpty { count("followed Failed") }
        case .workflowExecutionCompletedEventAttributes(let attributes):
            if !attributes.newExecutionRunID.isEmpty { count("followed Completed") }
        case .workflowExecutionStartedEventAttributes(let attributes): count("initiator \(attributes.initiator)")
        default: break
        }
    }

    /// What has to have happened at least once, and did not.
    package var missing: [String] { Self.required.filter { counts[$0] == nil } }

    package var table: String {
        counts.keys.sorted().map { key in
            let count = String(counts[key] ?? 0)
            return String(repeating: " ", count: max(8 - count.count, 0)) + count + "  " + key
        }.joined(separator: "\n")
    }

    /// All that the engine can bring about.
    package static let required: [String] =
        events.map { "event \($0.shortName)" }
        + [
            "commandAccepted", "commandInherited", "activityStarted", "activityReturned", "activityRetryScheduled",
            "eventBuffered", "workflowTaskCompleted", "workflowTaskRetried", "requestSeen", "debtSettled",
            "activityPaused", "activityUnpaused", "activityReset", "activityOptionsChanged",
            "updateRejected",
        ].map { "fact \($0)" }
        + [
            "workflowTaskStarted", "stickyAbandoned", "heartbeat", "deadlineMoved", "updateAdmitted", "updatesSettled",
            "workflowTaskSpeculated", "workflowTaskDiscarded",
        ].map { "volatile \($0)" }
        + [
            EventType.workflowExecutionSignaled, .workflowExecutionCancelRequested,
            .workflowExecutionOptionsUpdated, .timerFired, .activityTaskStarted,
            .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled,
            .startChildWorkflowExecutionFailed, .childWorkflowExecutionStarted, .childWorkflowExecutionCompleted,
            .externalWorkflowExecutionSignaled, .externalWorkflowExecutionCancelRequested,
            .workflowExecutionOptionsUpdated,
            .workflowExecutionUpdateAdmitted,
        ].map { "buffered \($0.shortName)" }
        + StatusEvent.Status.allCases.filter { $0 != .rejected }.map { "status \($0.rawValue)" }
        + [
            "reply done", "reply workflowTask", "reply activityTask", "reply heartbeat true", "reply heartbeat false",
            "reply completion", "reply options", "reply refused", "reply activityOptions", "reply heartbeat paused",
            "reply heartbeat reset", "answer eagerActivities", "answer nextTask written",
            "answer nextTask speculative", "update accepted", "update ended", "update failed", "offer sticky",
            "later workflow task attempt written", "successor", "followed TimedOut", "followed Failed",
            "followed Completed",
        ]
        + [TimeoutType.startToClose, .scheduleToStart].map { "workflow task \($0)" }
        + [TimeoutType.startToClose, .scheduleToStart, .scheduleToClose, .heartbeat].map { "activity \($0)" }
        + [RetryState.timeout, .cancelRequested, .maximumAttemptsReached].map { "activity timed out \($0)" }
        + [RetryState.timeout, .cancelRequested, .maximumAttemptsReached, .nonRetryableFailure]
        .map { "activity failed \($0)" }
        + [RetryState.timeout, .retryPolicyNotSet, .inProgress, .maximumAttemptsReached]
        .map { "run timed out \($0)" }
        + [RetryState.timeout, .retryPolicyNotSet, .inProgress, .maximumAttemptsReached, .nonRetryableFailure]
        .map { "run failed \($0)" }
        + [ContinueAsNewInitiator.unspecified, .workflow, .retry, .cronSchedule].map { "initiator \($0)" }
        + [
            WorkflowTaskFailedCause.unhandledCommand, .forceCloseCommand, .workflowWorkerUnhandledFailure,
            .badScheduleActivityAttributes, .badRequestCancelActivityAttributes, .badStartTimerAttributes,
            .badCancelTimerAttributes, .badRecordMarkerAttributes, .badFailWorkflowExecutionAttributes,
            .badContinueAsNewAttributes, .startTimerDuplicateID, .scheduleActivityDuplicateID,
            .pendingActivitiesLimitExceeded, .unspecified,
            .pendingChildWorkflowsLimitExceeded, .pendingSignalsLimitExceeded, .pendingRequestCancelLimitExceeded,
            .badUpdateWorkflowExecutionMessage,
        ].map(\.description)

    private static let events: [EventType] = [
        .workflowExecutionStarted, .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionTimedOut,
        .workflowExecutionCanceled, .workflowExecutionTerminated, .workflowExecutionContinuedAsNew,
        .workflowExecutionCancelRequested, .workflowExecutionOptionsUpdated,
        .workflowExecutionSignaled, .workflowTaskScheduled, .workflowTaskStarted, .workflowTaskCompleted,
        .workflowTaskFailed, .workflowTaskTimedOut, .activityTaskScheduled, .activityTaskStarted,
        .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCancelRequested,
        .activityTaskCanceled, .timerStarted, .timerFired, .timerCanceled, .markerRecorded,
        .upsertWorkflowSearchAttributes, .workflowPropertiesModified,
        .startChildWorkflowExecutionInitiated, .startChildWorkflowExecutionFailed, .childWorkflowExecutionStarted,
        .childWorkflowExecutionCompleted, .childWorkflowExecutionFailed, .childWorkflowExecutionCanceled,
        .childWorkflowExecutionTimedOut, .childWorkflowExecutionTerminated,
        .signalExternalWorkflowExecutionInitiated, .signalExternalWorkflowExecutionFailed,
        .externalWorkflowExecutionSignaled, .requestCancelExternalWorkflowExecutionInitiated,
        .requestCancelExternalWorkflowExecutionFailed, .externalWorkflowExecutionCancelRequested,
        .workflowExecutionOptionsUpdated,
        .workflowExecutionUpdateAccepted, .workflowExecutionUpdateCompleted, .workflowExecutionUpdateAdmitted,
    ]
}

extension UpdateNews.Kind {
    fileprivate var name: String {
        switch self {
        case .accepted: "accepted"
        case .ended: "ended"
        case .failed: "failed"
        }
    }
}
