internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

extension World {
    /// Nothing that is due may be forgotten: each pending thing is with Matching, with a worker, or has a deadline.
    func checkLive() throws {
        guard execution.isRunning else { return }
        let state = execution.durable
        if let task = execution.workflowTask, execution.volatile.startedTask == nil {
            let isOffered = offers.contains { offer in
                guard case .workflow(_, _, let stamp) = offer else { return false }
                return stamp == task.stamp
            }
            try require(isOffered, "the workflow task \(task.scheduledEventID)#\(task.attempt) is offered to nobody")
        }
        if state.workflowTask == nil, state.firstTaskDueAt == nil {
            try require(!hasNews, "something has happened that no workflow task will tell")
        }
        if !execution.volatile.updates.isEmpty {
            try require(execution.workflowTask != nil, "an update waits for no workflow task")
        }
        for activity in state.activities.values where activity.isWaiting {
            let (id, attempt) = (activity.scheduledEventID, activity.number)
            let isOffered = offers.contains { offer in
                guard case .activity(_, id, attempt) = offer else { return false }
                return true
            }
            let isDue = (execution.nextDeadline ?? .distantFuture) <= later(activity.attemptScheduledAt)
            try require(isOffered || isDue && attempt > 1, "activity \(id)#\(attempt) is offered to nobody")
        }
        for id in execution.volatile.heartbeats.keys {
            try require(state.activities[id] != nil, "a heartbeat of the ended activity \(id) is kept")
        }
        if let earliest = expectedDeadline {
            let next = execution.nextDeadline ?? .distantFuture
            try require(next <= later(earliest), "the next deadline is \(next), something is due at \(earliest)")
        }
    }

    /// What is due already may have been put off by a moment.
    private func later(_ due: Instant) -> Instant { max(due, now + .milliseconds(1)) }

    /// Whether the history holds something from outside that no workflow task has seen or will see.
    private var hasNews: Bool {
        for entry in entries.reversed() {
            guard case .event(let recorded) = entry else { continue }
            if recorded.event.eventType == .workflowTaskCompleted { return false }
            // What workers may ignore waits for the next task.
            if recorded.event.subject != nil, !recorded.event.workerMayIgnore { return true }
        }
        return false
    }

    private var expectedDeadline: Instant? {
        let state = execution.durable
        var deadlines: [Instant] = [state.runDeadline, state.executionDeadline]
        if let due = state.firstTaskDueAt { deadlines.append(due) }
        if let started = execution.volatile.startedTask {
            deadlines.append(putOff(started.startedAt + started.timeout, since: started.startedAt))
        } else if let task = execution.workflowTask {
            let isSpeculative = task.form == .speculative
            let isSticky = !task.stickyQueue.isEmpty && (isSpeculative || abandonedTask != task.scheduledEventID)
            if isSticky, state.stickyScheduleToStart.isSet {
                deadlines.append(task.scheduledAt + state.stickyScheduleToStart)
            } else if isSpeculative {
                deadlines.append(task.scheduledAt + .seconds(5))
            }
        }
        deadlines += state.timers.values.map(\.fireAt)
        for activity in state.activities.values where !activity.isPaused {
            deadlines.append(putOff(activity.closeDeadline, since: activity.scheduledAt))
            if let startedAt = activity.startedAt {
                if activity.startToClose.isSet {
                    deadlines.append(putOff(startedAt + activity.startToClose, since: startedAt))
                }
                if activity.heartbeatTimeout.isSet {
                    let heartbeat = execution.volatile.heartbeats[activity.scheduledEventID]?.at ?? startedAt
                    let heard = max(heartbeat, startedAt)
                    let silence = max(heard, startedAt <= outage.end ? outage.end : heard) + activity.heartbeatTimeout
                    deadlines.append(putOff(silence, since: startedAt))
                }
            } else if activity.scheduleToStart.isSet {
                let since = activity.attemptScheduledAt
                deadlines.append(putOff(since + activity.scheduleToStart, since: since))
            }
        }
        return deadlines.min().flatMap { $0 == .distantFuture ? nil : $0 }
    }

    /// What was waited for when the last outage ended is due after its grace.
    private func putOff(_ deadline: Instant, since start: Instant) -> Instant {
        start <= outage.end ? max(deadline, outage.end + outage.grace) : deadline
    }

    /// Reads the journal's bytes and rebuilds the state from them, rows as they are and with neighbors put together.
    func checkRebuilt() throws {
        let rows = try journal.rows()
        var merged: [JournalRow] = []
        for row in rows {
            if merged.isEmpty || random.once(in: 2) { merged.append(row) } else { merged[merged.count - 1].append(row) }
        }
        let entries = try merged.flatMap { try $0.entries() }
        let rebuilt = try rebuild(entries)
        try checkEqual(rebuilt, "the state from rows put together")
        let reading = JournalReading(entries)
        let differences = reading.differences(from: execution.durable)
        if !differences.isEmpty { throw violation("the state is not what the journal says", "\(differences)") }
        let broken = HistoryRules.violations(in: reading.events.map(\.event))
        if !broken.isEmpty { throw violation("the history breaks its rules", "\(broken)") }
        try checkDeadlines(rebuilt)
    }

    func rebuild(_ entries: [Entry]) throws -> SagamoreEngine.Execution {
        var rebuilt = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
        for entry in entries {
            try rebuilt.validate(entry)
            rebuilt.apply(entry)
        }
        return rebuilt
    }

    /// The deadlines that are made anew ask for the same as the ones that came one by one, in a moment and later.
    private func checkDeadlines(_ other: SagamoreEngine.Execution) throws {
        var rebuilt = other
        if let task = execution.volatile.speculativeTask { rebuilt.apply(.volatile(.workflowTaskSpeculated(task))) }
        if let task = execution.volatile.startedTask { rebuilt.apply(.volatile(.workflowTaskStarted(task))) }
        if execution.volatile.stickyAbandoned { rebuilt.apply(.volatile(.stickyAbandoned)) }
        for (id, heartbeat) in execution.volatile.heartbeats {
            let change = VolatileChange.heartbeat(scheduledEventID: id, details: heartbeat.details, at: heartbeat.at)
            rebuilt.apply(.volatile(change))
        }
        rebuilt.rebuildDeadlines()
        for interval in [Interval.milliseconds(2), .milliseconds(500), .seconds(20), .seconds(1_000_000)] {
            let instant = now + interval
            let next = Samples.nextRunID
            let live = execution.decideDue(at: instant, after: outage, limits: limits, successorID: next)
            let anew = rebuilt.decideDue(at: instant, after: outage, limits: limits, successorID: next)
            // Offers are left out: what Matching has already has no deadline any more.
            let left = JournalRow(live)
            let right = JournalRow(anew)
            try require(left == right, "due after \(interval): \(live.outline), from the journal: \(anew.outline)")
        }
    }

    /// What clients were promised: each signal once and in order, two events for the command that started the run.
    func checkOwed() throws {
        let state = execution.durable
        let signals =
            (entries.compactMap { entry -> HistoryEvent? in
                if case .event(let recorded) = entry { recorded.event } else { nil }
            } + state.bufferedEvents).compactMap { event -> String? in
                guard case .workflowExecutionSignaledEventAttributes(let attributes) = event.attributes else {
                    return nil
                }
                return attributes.signalName
            }
        try require(signals == acceptedSignals, "accepted signals \(acceptedSignals), the history has \(signals)")
        let own = statusEvents.filter { $0.origin.commandID == "start" }
        // An earlier run of the chain has published that the command was accepted.
        let earlier = continuesChain ? 1 : 0
        let sequences = Array((earlier + 1)..<(earlier + own.count + 1))
        try require(own.map(\.sequence) == sequences, "sequences \(own.map(\.sequence))")
        guard origin != nil else {
            try require(own.isEmpty, "events for a run that no command started")
            return
        }
        try require((own.first?.status == .accepted) == !continuesChain, "the start was accepted once")
        // The outcome is published by the last run of the chain.
        let expected = (execution.isRunning || hasSuccessor ? 1 : 2) - earlier
        try require(own.count == expected, "\(own.map(\.status)) for a run that is \(state.status)")
        for event in statusEvents where event.origin.commandID != "start" {
            try require(event.status == .delivered && event.sequence == 1, "\(event.status) for a command to the run")
        }
    }
}
