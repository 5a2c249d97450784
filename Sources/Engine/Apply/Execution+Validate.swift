internal import SagamoreAPI
internal import SagamoreProtobuf

/// An entry does not fit what was applied before it: a journal is damaged, or a decision is wrong.
public struct InvalidEntry: Error, CustomStringConvertible {
    /// What is wrong, without a word of the run's data.
    public let reason: StaticString

    public init(reason: StaticString) {
        self.reason = reason
    }

    public var description: String { "\(reason)" }
}

extension Execution {
    /// Applies an entry that fits; one that does not changes nothing.
    ///
    /// In one call, since a caller that asks first would copy the execution.
    public mutating func applyValidated(_ entry: Entry) throws(InvalidEntry) {
        try validate(entry)
        apply(entry)
    }

    /// Checks that an entry fits what was applied before it, as far as a comparison or a look-up tells.
    ///
    /// Asked of each entry that is read before it is applied, and of each that was decided: `apply` leaves alone what
    /// it finds out of place, and what comes after would be wrong.
    public func validate(_ entry: Entry) throws(InvalidEntry) {
        switch entry {
        case .event(let recorded): try validate(recorded.event)
        case .fact(let recorded):
            guard recorded.afterEventID == durable.lastEventID else {
                throw InvalidEntry(reason: "a fact names another event than the one before it")
            }
            try validate(recorded.fact)
        case .volatile(.heartbeat(let scheduledEventID, _, _)):
            guard durable.activities[scheduledEventID] != nil else {
                throw InvalidEntry(reason: "a heartbeat is of an activity that is not pending")
            }
        case .volatile: break
        }
    }

    private func validate(_ event: HistoryEvent) throws(InvalidEntry) {
        guard event.eventID == durable.lastEventID + 1 else {
            throw InvalidEntry(reason: "the ids of two events leave a gap or overlap")
        }
        guard (event.eventType == .workflowExecutionStarted) == (event.eventID == 1) else {
            throw InvalidEntry(reason: "a history does not begin with its start")
        }
        guard isRunning else { throw InvalidEntry(reason: "an event follows the end of the run") }
        if case .workflowExecutionUpdateCompletedEventAttributes(let attributes) = event.attributes {
            guard case .accepted? = durable.updates[ExactText(attributes.meta?.updateID ?? "")] else {
                throw InvalidEntry(reason: "an update has an outcome that was not accepted")
            }
        }
    }

    private func validate(_ fact: Fact) throws(InvalidEntry) {
        switch fact {
        case .activityStarted(let start):
            let activity = try pending(start.scheduledEventID)
            guard activity.isWaiting, activity.attempt == start.attempt else {
                throw InvalidEntry(reason: "an attempt of an activity starts that is not due")
            }
        case .activityReturned(let scheduledEventID, let attempt, _):
            let activity = try pending(scheduledEventID)
            guard activity.isStarted, activity.attempt == attempt else {
                throw InvalidEntry(reason: "an attempt of an activity is returned that does not run")
            }
        case .activityRetryScheduled(let retry):
            let activity = try pending(retry.scheduledEventID)
            guard retry.attempt == activity.attempt + 1 else {
                throw InvalidEntry(reason: "the attempts of an activity leave a gap")
            }
        case .activityPaused(let scheduledEventID, _):
            guard try !pending(scheduledEventID).isPaused else {
                throw InvalidEntry(reason: "an activity is paused twice")
            }
        case .activityUnpaused(let change):
            let activity = try pending(change.scheduledEventID)
            guard activity.isPaused, (change.dueAt == nil) == activity.isStarted else {
                throw InvalidEntry(reason: "an activity is unpaused that is not paused, or due while it runs")
            }
        case .activityReset(let change): try validate(change.dueAt, try pending(change.scheduledEventID))
        case .activityOptionsChanged(let change): try validate(change.dueAt, try pending(change.scheduledEventID))
        case .eventBuffered(let event):
            guard event.eventID == 0 else { throw InvalidEntry(reason: "an event that waits has an id") }
        case .workflowTaskRetried(let attempt, _):
            guard attempt > 1 else { throw InvalidEntry(reason: "a first workflow task is a retry") }
        case .updateRejected(let id):
            guard case .admitted? = durable.updates[ExactText(id)] else {
                throw InvalidEntry(reason: "an update is rejected that was not admitted")
            }
        case .debtSettled(let eventID):
            guard !isRunning, durable.owes(eventID) else {
                throw InvalidEntry(reason: "a debt is settled that the run does not owe")
            }
        case .runReset:
            guard durable.lastResetAt != nil else {
                throw InvalidEntry(reason: "a run was reset whose workflow task no reset has failed")
            }
        case .commandAccepted, .commandInherited, .workflowTaskCompleted, .requestSeen, .scheduled: break
        }
    }

    private func validate(_ dueAt: Instant?, _ activity: PendingActivity) throws(InvalidEntry) {
        guard dueAt == nil || !activity.isStarted else {
            throw InvalidEntry(reason: "an attempt of an activity is due that runs")
        }
    }

    private func pending(_ scheduledEventID: Int64) throws(InvalidEntry) -> PendingActivity {
        guard let activity = durable.activities[scheduledEventID] else {
            throw InvalidEntry(reason: "a fact is of an activity that is not pending")
        }
        return activity
    }
}
