internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    mutating func applyStarted(_ attributes: WorkflowExecutionStartedEventAttributes, at: Instant) {
        durable.workflowType = attributes.workflowType?.name ?? ""
        durable.taskQueue = attributes.taskQueue?.name ?? ""
        durable.startedAt = at
        durable.firstRunID = attributes.firstExecutionRunID
        durable.executionTimeout = Interval(attributes.workflowExecutionTimeout)
        durable.runTimeout = Interval(attributes.workflowRunTimeout)
        durable.attempt = max(attributes.attempt, 1)
        if !attributes.continuedExecutionRunID.isEmpty {
            durable.chainExpiration = attributes.workflowExecutionExpirationTime.map(Instant.init)
        }
        durable.recurrence = Recurrence(ifNeededBy: attributes)
        durable.taskTimeout = Interval(attributes.workflowTaskTimeout)
        durable.memo = attributes.memo
        durable.searchAttributes = attributes.searchAttributes
        durable.priority = attributes.priority
        durable.earlierResetPoints = attributes.prevAutoResetPoints?.points ?? []
        durable.firstTaskBackoff = Interval(attributes.firstWorkflowTaskBackoff)
        if durable.firstTaskBackoff.isSet { durable.firstTaskDueAt = at + durable.firstTaskBackoff }
        applyLineage(attributes)
        rebuildDeadlines()
    }

    /// Keeps pending activities and timers: describing a closed workflow shows them.
    mutating func close(_ status: WorkflowExecutionStatus, at: Instant) {
        durable.status = status
        durable.closedAt = at
        durable.workflowTask = nil
        durable.firstTaskDueAt = nil
        volatile.startedTask = nil
        volatile.speculativeTask = nil
        volatile.updates = []
        volatile.deadlines.removeAll()
    }

    mutating func arm(_ deadline: Deadline) {
        guard isRunning else { return }
        let live = 4 * (durable.activities.count + durable.timers.count) + 64
        // Not rebuilt: some deadlines were moved, and some that are due are being decided right now.
        if volatile.deadlines.count > 4 * live {
            var deadlines = volatile.deadlines
            volatile.deadlines = DeadlineHeap()
            deadlines.keep { dueTime(of: $0) != nil }
            volatile.deadlines = deadlines
        }
        volatile.deadlines.insert(deadline)
    }

    /// Removes the deadlines up to `now`, after their decisions have been applied.
    public mutating func discardDeadlines(until now: Instant) {
        volatile.deadlines.discard(until: now)
    }

    /// Arms a retry that no worker has started anew: the clock went back behind its time after it was offered, and the
    /// offer was withdrawn.
    public mutating func armRetry(of scheduledEventID: Int64) {
        guard let activity = durable.activities[scheduledEventID], !activity.isStarted else { return }
        for deadline in activity.machine.deadlines(of: scheduledEventID) where deadline.kind == .activityRetry {
            arm(deadline)
        }
    }

    /// Rebuilds the deadlines from the pending state, after loading the journal.
    public mutating func rebuildDeadlines() {
        volatile.deadlines.removeAll()
        guard isRunning else { return }
        if let due = durable.firstTaskDueAt {
            volatile.deadlines.insert(Deadline(at: due, kind: .workflowTaskBackoff, id: 0))
        }
        if durable.runTimeout.isSet {
            volatile.deadlines.insert(Deadline(at: durable.runDeadline, kind: .runTimeout, id: 0))
        }
        if durable.executionTimeout.isSet {
            volatile.deadlines.insert(Deadline(at: durable.executionDeadline, kind: .executionTimeout, id: 0))
        }
        for deadline in workflowTaskDeadlines() { volatile.deadlines.insert(deadline) }
        for activity in durable.activities.values {
            for deadline in activity.machine.deadlines(of: activity.scheduledEventID) {
                volatile.deadlines.insert(deadline)
            }
        }
        for timer in durable.timers.values {
            volatile.deadlines.insert(Deadline(at: timer.fireAt, kind: .timer, id: timer.startedEventID))
        }
    }
}

/// Merges `new` over `old`. A null value removes a field of a memo.
func merged(_ old: RawMessage<Memo>?, _ new: RawMessage<Memo>?) -> RawMessage<Memo>? {
    guard let new, var memo = try? new.decoded() else { return old }
    if let old, let before = try? old.decoded() {
        memo.fields = before.fields.merging(memo.fields)
    }
    memo.fields = memo.fields.filter { !isNull($0) }
    return RawMessage(memo)
}

func merged(
    _ old: RawMessage<SearchAttributes>?,
    _ new: RawMessage<SearchAttributes>?
) -> RawMessage<SearchAttributes>? {
    guard let new, var attributes = try? new.decoded() else { return old }
    if let old, let before = try? old.decoded() {
        attributes.indexedFields = before.indexedFields.merging(attributes.indexedFields)
    }
    attributes.indexedFields = attributes.indexedFields.filter { !$0.isNoValue }
    return RawMessage(attributes)
}

private func isNull(_ payload: Payload) -> Bool {
    payload.metadata["encoding"] == Array("binary/null".utf8)
}
