internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    /// Handles the deadlines that are due at `now`. A decision may cover several of them. It stops after one that
    /// closes the run or ends a workflow task, so call it again until nothing is due.
    ///
    /// The decision's entries must be applied, and `discardDeadlines(until:)` called, before the next request.
    ///
    /// - Parameters:
    ///   - outage: the last period in which workers could not report; deadlines for their reports are postponed.
    ///   - successorID: the id of the next run, if a timeout may end this one in another: it has a recurrence.
    public func decideDue(
        at now: Instant,
        after outage: WorkerOutage = .none,
        limits: Limits = Limits(),
        successorID: RunID? = nil
    ) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning else { return draft.decision }
        var moved: [Deadline] = []
        let due = sortOut(volatile.deadlines.due(at: now), &moved, at: now, after: outage)
        var ended: Set<Int64> = []
        for (index, deadline) in due.enumerated() {
            if deadline.kind.isDecidedAlone, !draft.decision.entries.isEmpty {
                moved.append(deadline.moved(to: now + .milliseconds(1)))
                continue
            }
            switch deadline.kind {
            case .runTimeout, .executionTimeout:
                timeOut(successorID: successorID, limits, in: &draft)
                return draft.decision
            case .workflowTaskBackoff:
                // An update's task, which could leave no trace, becomes the first one.
                draft.writeSpeculativeTask(of: self)
                if workflowTask == nil { writeWorkflowTaskScheduled(in: &draft, sticky: "") }
            case .workflowTaskScheduleToStart, .workflowTaskStartToClose:
                endWorkflowTask(deadline.kind, in: &draft)
                moved += due[(index + 1)...].map { $0.moved(to: now + .milliseconds(1)) }
                return finished(draft, moved)
            case .timer:
                fireTimer(deadline, in: &draft)
            default:
                if !ended.contains(deadline.id), activityDue(deadline, in: &draft) { ended.insert(deadline.id) }
            }
        }
        return finished(draft, moved)
    }

    /// The deadlines that are really due, sorted by their current times: a deadline may have been moved.
    private func sortOut(
        _ found: [Deadline],
        _ moved: inout [Deadline],
        at now: Instant,
        after outage: WorkerOutage
    ) -> [Deadline] {
        var due: [Deadline] = []
        for deadline in found {
            guard let at = dueTime(of: deadline, after: outage) else { continue }
            if at <= now {
                due.append(deadline.moved(to: at))
            } else if deadline.kind == .activityHeartbeat || dueTime(of: deadline).map({ $0 <= now }) ?? false {
                moved.append(deadline.moved(to: at))
            }
            // The others have newer deadlines.
        }
        due.sort()
        // An attempt that was started twice has two equal deadlines.
        return due.enumerated().filter { $0.offset == 0 || due[$0.offset - 1] != $0.element }.map(\.element)
    }

    /// Appends moved deadlines last: no entry after them may change the deadlines.
    private func finished(_ draft: Draft, _ moved: [Deadline]) -> Decision {
        var draft = draft
        for deadline in moved { draft.volatile(.deadlineMoved(deadline)) }
        return draft.decision
    }

    private func endWorkflowTask(_ kind: Deadline.Kind, in draft: inout Draft) {
        if kind == .workflowTaskStartToClose {
            if let started = volatile.startedTask { timeOutStartedTask(started, in: &draft) }
        } else if let task = workflowTask {
            timeOutWaitingTask(task, in: &draft)
        }
    }

    private func fireTimer(_ deadline: Deadline, in draft: inout Draft) {
        guard let timer = durable.timers[deadline.id] else { return }
        var attributes = TimerFiredEventAttributes()
        attributes.timerID = timer.timerID
        attributes.startedEventID = timer.startedEventID
        draft.outside(self, .timerFired, .timerFiredEventAttributes(attributes))
        scheduleWorkflowTaskOnce(in: &draft)
    }

    /// `scheduleWorkflowTask`, unless this decision already did.
    private func scheduleWorkflowTaskOnce(in draft: inout Draft) {
        let isScheduled = draft.decision.offers.contains { if case .workflow = $0 { true } else { false } }
        if !isScheduled { scheduleWorkflowTask(in: &draft) }
    }

    /// Returns whether it ended the activity or its attempt.
    private func activityDue(_ deadline: Deadline, in draft: inout Draft) -> Bool {
        guard let activity = durable.activities[deadline.id] else { return false }
        switch deadline.kind {
        case .activityRetry:
            draft.decision.offers.append(
                .activity(route: route(of: activity), scheduledEventID: deadline.id, attempt: activity.number)
            )
            return false
        case .activityScheduleToStart: timeOut(activity, .scheduleToStart, in: &draft)
        case .activityScheduleToClose: timeOut(activity, .scheduleToClose, in: &draft)
        case .activityStartToClose: timeOut(activity, .startToClose, in: &draft)
        case .activityHeartbeat: timeOut(activity, .heartbeat, in: &draft)
        default: return false
        }
        return true
    }

    /// Times the attempt out: it is retried if the policy allows it, and the activity ends otherwise.
    private func timeOut(_ activity: PendingActivity, _ type: TimeoutType, in draft: inout Draft) {
        let details = heartbeatDetails(of: activity)
        let (verdict, failure) = activity.machine.afterTimeout(type, heartbeat: details, at: draft.now)
        let state: RetryState
        switch verdict {
        case .retried(let attempt, let at):
            let next = NextAttempt(attempt: attempt, at: at)
            let identity = activity.startedIdentity
            writeRetry(of: activity, next, RawMessage(failure), identity: identity, nil, in: &draft)
            return
        case .ended(let reason): state = reason
        }
        var attributes = ActivityTaskTimedOutEventAttributes()
        attributes.failure = RawMessage(failure)
        attributes.scheduledEventID = activity.scheduledEventID
        attributes.startedEventID = activity.isStarted ? writeActivityStarted(activity, in: &draft) : 0
        attributes.retryState = state
        draft.outside(self, .activityTaskTimedOut, .activityTaskTimedOutEventAttributes(attributes))
        scheduleWorkflowTaskOnce(in: &draft)
    }
}

extension Deadline.Kind {
    /// These write the buffered events, which changes the ids of all that follows. Earlier entries must be applied
    /// first, and later deadlines are decided after these are applied.
    fileprivate var isDecidedAlone: Bool {
        switch self {
        case .runTimeout, .executionTimeout, .workflowTaskScheduleToStart, .workflowTaskStartToClose: true
        default: false
        }
    }
}
