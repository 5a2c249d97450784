internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    /// What is due at `now`. One decision may hold several; it stops after one that closes the run or ends a workflow
    /// task, so ask again until nothing is due.
    ///
    /// The decision's entries must be applied, and `discardDeadlines(until:)` called, before the next request.
    ///
    /// - Parameter outage: the last time in which workers could not report; what they owe since before is put off.
    public func decideDue(at now: Instant, after outage: WorkerOutage = .none) -> Decision {
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
                timeOut(durable.executionDeadline <= now ? .timeout : .retryPolicyNotSet, in: &draft)
                return draft.decision
            case .workflowTaskBackoff:
                if durable.workflowTask == nil { writeWorkflowTaskScheduled(in: &draft, sticky: "") }
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

    /// What is really due, in order of its own times, which a moved deadline does not show.
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
            // Others have a deadline of their own for what came since.
        }
        due.sort()
        // An attempt that was started twice has two deadlines of a kind, for one time.
        return due.enumerated().filter { $0.offset == 0 || due[$0.offset - 1] != $0.element }.map(\.element)
    }

    /// What was moved comes last: nothing that is applied after it may touch the deadlines.
    private func finished(_ draft: Draft, _ moved: [Deadline]) -> Decision {
        var draft = draft
        for deadline in moved { draft.volatile(.deadlineMoved(deadline)) }
        return draft.decision
    }

    private func endWorkflowTask(_ kind: Deadline.Kind, in draft: inout Draft) {
        if kind == .workflowTaskStartToClose {
            if let started = volatile.startedTask { timeOutStartedTask(started, in: &draft) }
        } else if let task = durable.workflowTask {
            timeOutStickyTask(task, in: &draft)
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

    /// `scheduleWorkflowTask`, when this very decision may have done so already.
    private func scheduleWorkflowTaskOnce(in draft: inout Draft) {
        let isScheduled = draft.decision.offers.contains { if case .workflow = $0 { true } else { false } }
        if !isScheduled { scheduleWorkflowTask(in: &draft) }
    }

    /// Returns whether the activity, or its attempt, has ended by it.
    private func activityDue(_ deadline: Deadline, in draft: inout Draft) -> Bool {
        guard let activity = durable.activities[deadline.id] else { return false }
        switch deadline.kind {
        case .activityRetry:
            draft.decision.offers.append(
                .activity(taskQueue: activity.taskQueue, scheduledEventID: deadline.id, attempt: activity.attempt)
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

    /// The attempt is tried again where the policy lets it; else the activity ends.
    private func timeOut(_ activity: PendingActivity, _ type: TimeoutType, in draft: inout Draft) {
        let name = mixedCase(type, prefix: "TIMEOUT_TYPE_")
        let failure = timeoutFailure("activity \(name) timeout", type)
        let details = heartbeatDetails(of: activity)
        let identity = activity.startedIdentity
        guard let state = retry(activity, after: failure, RawMessage(failure), identity: identity, nil, in: &draft)
        else { return }
        // Whatever the attempt ended by: what ends the activity then is its deadline.
        let isTooLate = state == .timeout && type != .scheduleToStart
        var attributes = ActivityTaskTimedOutEventAttributes()
        attributes.failure = RawMessage(
            timeoutFailure(
                isTooLate ? noTimeForRetry : failure.message,
                isTooLate ? .scheduleToClose : type,
                heartbeat: details,
                cause: activity.lastFailure
            )
        )
        attributes.scheduledEventID = activity.scheduledEventID
        attributes.startedEventID = activity.isStarted ? writeActivityStarted(activity, in: &draft) : 0
        attributes.retryState = state
        draft.outside(self, .activityTaskTimedOut, .activityTaskTimedOutEventAttributes(attributes))
        scheduleWorkflowTaskOnce(in: &draft)
    }
}

extension Deadline.Kind {
    /// These write what waits in the buffer, and what follows them gets other ids: what comes before them has to be
    /// applied first, and what comes after them is decided when they have been.
    fileprivate var isDecidedAlone: Bool {
        switch self {
        case .runTimeout, .executionTimeout, .workflowTaskScheduleToStart, .workflowTaskStartToClose: true
        default: false
        }
    }
}

private let noTimeForRetry =
    "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"
