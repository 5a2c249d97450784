package import SagamoreAPI
package import SagamoreEngine

/// What a decision holds, a line each: `5 TimerStarted`, `fact requestSeen start`, `offer workflow 2#1 on travel`.
extension Decision {
    package var outline: [String] {
        entries.map(\.outline) + offers.map(\.outline) + statusEvents.map { "status \($0.status.rawValue)" }
            + (successor == nil ? [] : ["successor"])
    }

    /// The lines of the history's events alone.
    package var eventOutline: [String] {
        entries.compactMap { entry in
            if case .event = entry { entry.outline } else { nil }
        }
    }

    package var events: [HistoryEvent] {
        entries.compactMap { entry in
            if case .event(let recorded) = entry { recorded.event } else { nil }
        }
    }

    package var facts: [Fact] {
        entries.compactMap { entry in
            if case .fact(let recorded) = entry { recorded.fact } else { nil }
        }
    }
}

extension Entry {
    package var outline: String {
        switch self {
        case .event(let recorded): "\(recorded.event.eventID) \(recorded.event.eventType.shortName)"
        case .fact(let recorded): "fact \(recorded.fact.outline)"
        case .volatile(let change): "volatile \(change.outline)"
        }
    }
}

extension Fact {
    /// The kind's name alone.
    package var kind: String { String(outline.prefix { $0 != " " }) }

    package var outline: String {
        switch self {
        case .commandAccepted(let origin): "commandAccepted \(origin.commandID)"
        case .commandInherited(let origin, let count): "commandInherited \(origin.commandID) \(count)"
        case .activityStarted(let start): "activityStarted \(start.scheduledEventID)#\(start.attempt)"
        case .activityReturned(let id, let attempt, _): "activityReturned \(id)#\(attempt)"
        case .activityRetryScheduled(let retry): "activityRetryScheduled \(retry.scheduledEventID)#\(retry.attempt)"
        case .eventBuffered(let event): "eventBuffered \(event.eventType.shortName)"
        case .workflowTaskCompleted(let completed): "workflowTaskCompleted \(completed.startedEventID)"
        case .workflowTaskRetried(let attempt, _): "workflowTaskRetried #\(attempt)"
        case .requestSeen(let id): "requestSeen \(id)"
        case .updateRejected(let id): "updateRejected \(id)"
        case .activityPaused(let id, _): "activityPaused \(id)"
        case .activityUnpaused(let change): "activityUnpaused \(change.scheduledEventID)"
        case .activityReset(let change): "activityReset \(change.scheduledEventID)"
        case .activityOptionsChanged(let change): "activityOptionsChanged \(change.scheduledEventID)"
        case .debtSettled(let eventID): "debtSettled \(eventID)"
        case .runReset(let reset): "runReset \(reset.requestID)"
        case .scheduled(let schedule): "scheduled \(schedule.scheduleID)"
        }
    }
}

extension VolatileChange {
    package var outline: String {
        switch self {
        case .workflowTaskStarted(let task): "workflowTaskStarted \(task.startedEventID)#\(task.attempt)"
        case .stickyAbandoned: "stickyAbandoned"
        case .heartbeat(let id, _, _): "heartbeat \(id)"
        case .updateAdmitted(let update): "updateAdmitted \(update.id)"
        case .updatesSettled(let ids): "updatesSettled \(ids.joined(separator: " "))"
        case .workflowTaskSpeculated(let task): "workflowTaskSpeculated \(task.scheduledEventID)"
        case .workflowTaskDiscarded: "workflowTaskDiscarded"
        case .deadlineMoved(let deadline): "deadlineMoved \(deadline.kind) \(deadline.id)"
        }
    }
}

extension TaskOffer {
    package var outline: String {
        switch self {
        case .workflow(let route, let sticky, let stamp):
            "offer workflow \(stamp.scheduledEventID)#\(stamp.attempt) on "
                + (sticky.isEmpty ? route.queue : "sticky \(sticky)")
        case .activity(let route, let id, let attempt): "offer activity \(id)#\(attempt) on \(route.queue)"
        }
    }
}

extension EventType {
    /// `TimerStarted` for `EVENT_TYPE_TIMER_STARTED`.
    package var shortName: String {
        description.dropFirst("EVENT_TYPE_".count).split(separator: "_")
            .map { $0.prefix(1) + $0.dropFirst().lowercased() }.joined()
    }
}
