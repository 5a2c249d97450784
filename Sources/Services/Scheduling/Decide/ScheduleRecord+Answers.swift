internal import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// What comes back of the actions.
extension ScheduleRecord {
    /// How many actions are shown.
    static let recentActions = 10

    /// A start has taken place, or had before. Does nothing for a start whose outcome is known.
    public mutating func started(_ startID: String, runID: RunID, at now: Instant) -> [ScheduleDemand] {
        guard record(startID, runID) else { return [] }
        return takeStarts(at: now)
    }

    /// A start was refused for good. The next one may take its turn.
    public mutating func refused(_ startID: String, at now: Instant) -> [ScheduleDemand] {
        guard let index = progress.starting.firstIndex(where: { $0.due.id == startID }) else { return [] }
        progress.starting.remove(at: index)
        return takeStarts(at: now)
    }

    /// Whether nothing tells yet that a run was started though it has ended already: a start at a time of the schedule
    /// may take place before it is stored that it was decided, and is decided again if that was lost.
    public func isStillToDecide(_ end: ScheduledRunEnd) -> Bool {
        let id = end.schedule.startID
        guard end.schedule.instance == instance, !progress.starting.contains(where: { $0.due.id == id }) else {
            return false
        }
        if progress.buffer.contains(where: { $0.id == id }) { return true }
        return DueStart.time(of: id).map { $0 > progress.processedTo } ?? false
    }

    /// The last run of a chain that the schedule started has ended. It may be told again, and before the start's own
    /// answer is.
    public mutating func ended(_ end: ScheduledRunEnd, at now: Instant) -> [ScheduleDemand] {
        guard end.schedule.instance == instance else { return [] }
        _ = record(end.schedule.startID, end.firstRunID)
        let (status, result, failure) = end.event.outcome
        let shown = end.firstRunID.description
        for index in progress.info.recentActions.indices
        where progress.info.recentActions[index].startWorkflowResult?.runID == shown {
            progress.info.recentActions[index].startWorkflowStatus = status
        }
        guard let index = progress.running.firstIndex(where: { $0.runID == end.firstRunID }) else { return [] }
        progress.running.remove(at: index)
        switch status {
        case .completed:
            if let result {
                progress.lastResult = result
                progress.lastFailure = nil
            }
        case .failed:
            progress.lastFailure = failure
            let message = (try? failure?.decoded().message) ?? ""
            pauseOnFailure("paused due to workflow failure: \(end.workflowID): \(message.prefix(Self.noteLength))")
        case .timedOut: pauseOnFailure("paused due to workflow timeout: \(end.workflowID)")
        default: break
        }
        return takeStarts(at: now)
    }

    private mutating func pauseOnFailure(_ notes: String) {
        if definition.policies?.pauseOnFailure == true { setPaused(true, notes) }
    }

    /// - Returns: false if the start is not under way.
    private mutating func record(_ startID: String, _ runID: RunID) -> Bool {
        guard let index = progress.starting.firstIndex(where: { $0.due.id == startID }) else { return false }
        let start = progress.starting.remove(at: index)
        let run = TrackedRun(startID: startID, workflowID: start.workflowID, runID: runID)
        progress.info.actionCount += 1
        var action = ScheduleActionResult()
        action.scheduleTime = start.due.scheduled.timestamp
        action.actualTime = start.decidedAt.timestamp
        action.startWorkflowResult = run.execution
        action.startWorkflowStatus = .running
        progress.info.recentActions = progress.info.recentActions.suffix(Self.recentActions - 1) + [action]
        if start.isTracked { progress.running.append(run) }
        return true
    }

    /// What may have been lost with the server: the starts whose outcome is not known, and what is asked of runs that
    /// are in the way. All of it can be done again.
    public var openActions: [ScheduleDemand] {
        progress.starting.map { .start($0) }
            + progress.running.compactMap { run in
                switch run.wish {
                case .none: nil
                case .cancel: .cancel(run)
                case .terminate: .terminate(run)
                }
            }
    }
}

extension HistoryEvent {
    /// How a run has ended by its last event.
    fileprivate var outcome: (WorkflowExecutionStatus, RawMessage<Payloads>?, RawMessage<Failure>?) {
        switch attributes {
        case .workflowExecutionCompletedEventAttributes(let attributes): (.completed, attributes.result, nil)
        case .workflowExecutionFailedEventAttributes(let attributes): (.failed, nil, attributes.failure)
        case .workflowExecutionTimedOutEventAttributes: (.timedOut, nil, nil)
        case .workflowExecutionCanceledEventAttributes: (.canceled, nil, nil)
        case .workflowExecutionTerminatedEventAttributes: (.terminated, nil, nil)
        default: (.unspecified, nil, nil)
        }
    }
}
