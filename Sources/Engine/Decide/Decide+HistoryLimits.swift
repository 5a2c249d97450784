internal import SagamoreAPI
internal import SagamoreProtobuf

/// Why a limit ended a run, in Temporal's words.
private let historyCountExceeded = "Workflow history count exceeds limit."
private let historySizeExceeded = "Workflow history size exceeds limit."

/// The limits of a run's history. They are checked in one place for all kinds of decisions: what would exceed them
/// terminates the run instead.
extension Execution {
    /// `decision`, or what ends the run in its place: the decision would make the history too long, or the history is
    /// too large already. The reply is then a refusal.
    ///
    /// - Parameter now: asked only where a limit ends the run.
    public func limit(of decision: Decision, at now: @autoclosure () -> Instant, _ limits: Limits) -> Decision? {
        guard isRunning, durable.lastEventID > 0 else { return nil }
        let mayExceed = durable.lastEventID + Int64(decision.entries.count) > limits.historyEvents
        guard mayExceed || isTooLarge(limits), decision.isDurable, !decision.endsRun else { return nil }
        if isTooLarge(limits) { return ending(historySizeExceeded, at: now()) }
        let added = decision.entries.count { if case .event = $0 { true } else { false } }
        return durable.lastEventID + Int64(added) > limits.historyEvents
            ? ending(historyCountExceeded, at: now()) : nil
    }

    /// What ends a run before another task of it starts, because its history is too large, or too long for the event
    /// that says that a workflow task was started; nil while it is not.
    ///
    /// - Parameter isWorkflowTask: whether it is a workflow task. The events of its start are written later, but count
    ///   now.
    public func endedByLimit(beforeWorkflowTask isWorkflowTask: Bool, at now: Instant, _ limits: Limits) -> Decision? {
        guard isRunning else { return nil }
        if isTooLarge(limits) { return ending(historySizeExceeded, at: now) }
        let isTooLong = durable.lastEventID + (isWorkflowTask ? eventsOfTaskStart : 0) > limits.historyEvents
        return isTooLong ? ending(historyCountExceeded, at: now) : nil
    }

    /// The events that the start of the due workflow task adds. One that is not written adds none, but one that has
    /// become a new task adds its Scheduled, too.
    private var eventsOfTaskStart: Int64 {
        guard let task = workflowTask, task.form != .written else { return 1 }
        return task.afterEventID == durable.lastEventID ? 0 : 2
    }

    /// What ends a run because the commands of a task would make its history too long; nil when they would not.
    func ended(by draft: Draft, _ limits: Limits) -> Decision? {
        guard !draft.isClosed else { return nil }
        if isTooLarge(limits) { return ending(historySizeExceeded, at: draft.now) }
        return draft.lastEventID > limits.historyEvents ? ending(historyCountExceeded, at: draft.now) : nil
    }

    /// The size counts once it is written, as in Temporal: the transition that exceeds it is the run's last but one.
    private func isTooLarge(_ limits: Limits) -> Bool {
        durable.historyBytes + Int64(durable.bufferedBytes) > limits.historyBytes
    }

    private func ending(_ reason: String, at now: Instant) -> Decision {
        var decision = closing(reason, at: now)
        decision.reply = .refused(.invalidArgument(reason))
        return decision
    }

    /// Why the worker that a workflow task is started for is to continue the run as new; empty while the history is
    /// short and the updates are few.
    func continueAsNewReasons(startedEventID: Int64, _ limits: Limits) -> [SuggestContinueAsNewReason] {
        let isLarge = durable.historyBytes >= limits.suggestedBytes
        let isLong = startedEventID >= limits.suggestedEvents
        // From nine tenths of the limit on, as on Temporal's server.
        let hasManyUpdates = updateCount > 0 && 10 * updateCount >= 9 * limits.updates
        guard isLarge || isLong || hasManyUpdates else { return [] }
        return (isLarge ? [.historySizeTooLarge] : []) + (isLong ? [.tooManyHistoryEvents] : [])
            + (hasManyUpdates ? [.tooManyUpdates] : [])
    }
}

extension Decision {
    /// Whether its last event ends the run.
    public var endsRun: Bool {
        for entry in entries.reversed() {
            if case .event(let recorded) = entry { return recorded.event.endsRun }
        }
        return false
    }
}

extension HistoryEvent {
    /// Whether the event is the last one of its run.
    var endsRun: Bool {
        switch eventType {
        case .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionTimedOut,
            .workflowExecutionCanceled, .workflowExecutionTerminated, .workflowExecutionContinuedAsNew:
            true
        default: false
        }
    }
}
