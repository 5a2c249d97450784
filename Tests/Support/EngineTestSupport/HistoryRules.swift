package import SagamoreAPI
internal import SagamoreEngine

/// What every history must keep to, whatever happened.
package enum HistoryRules {
    /// What the history breaks, in words.
    package static func violations(in history: [HistoryEvent]) -> [String] {
        ids(history) + close(history) + workflowTasks(history) + activities(history) + timers(history)
            + HistoryEvent.childViolations(in: history) + updates(history)
    }

    private static func ids(_ history: [HistoryEvent]) -> [String] {
        var violations: [String] = []
        for (index, event) in history.enumerated() where event.eventID != Int64(index + 1) {
            violations.append("event number \(index + 1) has the id \(event.eventID)")
        }
        if let first = history.first, first.eventType != .workflowExecutionStarted {
            violations.append("the history begins with \(first.eventType.shortName)")
        }
        return violations
    }

    private static func close(_ history: [HistoryEvent]) -> [String] {
        history.dropLast().filter(\.closesRun).map { "event \($0.eventID) closes the run and is not the last one" }
    }

    /// Scheduled, Started, and its end directly behind Started; only one at a time.
    private static func workflowTasks(_ history: [HistoryEvent]) -> [String] {
        var violations: [String] = []
        var scheduled: Int64 = 0
        var started: Int64 = 0
        for event in history {
            let endedHere: (scheduled: Int64, started: Int64)?
            switch event.attributes {
            case .workflowTaskScheduledEventAttributes:
                if scheduled != 0 { violations.append("\(event.eventID) schedules a second workflow task") }
                scheduled = event.eventID
                endedHere = nil
            case .workflowTaskStartedEventAttributes(let attributes):
                if attributes.scheduledEventID != scheduled || scheduled == 0 {
                    violations.append("\(event.eventID) starts \(attributes.scheduledEventID), not \(scheduled)")
                }
                started = event.eventID
                continue
            case .workflowTaskCompletedEventAttributes(let attributes):
                endedHere = (attributes.scheduledEventID, attributes.startedEventID)
            case .workflowTaskFailedEventAttributes(let attributes):
                endedHere = (attributes.scheduledEventID, attributes.startedEventID)
            case .workflowTaskTimedOutEventAttributes(let attributes):
                endedHere = (attributes.scheduledEventID, attributes.startedEventID)
            default: endedHere = nil
            }
            if let endedHere {
                if endedHere != (scheduled, started) {
                    violations.append("\(event.eventID) ends \(endedHere), not (\(scheduled), \(started))")
                }
                (scheduled, started) = (0, 0)
            } else if started != 0 {
                violations.append("\(event.eventID) stands between a WorkflowTaskStarted and its end")
                started = 0
            }
        }
        if started != 0 { violations.append("the last WorkflowTaskStarted has no end") }
        return violations
    }

    private static func activities(_ history: [HistoryEvent]) -> [String] {
        var violations: [String] = []
        var started: [Int64: Int64] = [:]
        var pending: Set<Int64> = []
        for event in history {
            let end: (scheduled: Int64, started: Int64)
            switch event.attributes {
            case .activityTaskScheduledEventAttributes:
                pending.insert(event.eventID)
                continue
            case .activityTaskStartedEventAttributes(let attributes):
                if !pending.contains(attributes.scheduledEventID) || started[attributes.scheduledEventID] != nil {
                    violations.append("\(event.eventID) starts activity \(attributes.scheduledEventID)")
                }
                started[attributes.scheduledEventID] = event.eventID
                continue
            case .activityTaskCompletedEventAttributes(let attributes):
                end = (attributes.scheduledEventID, attributes.startedEventID)
            case .activityTaskFailedEventAttributes(let attributes):
                end = (attributes.scheduledEventID, attributes.startedEventID)
            case .activityTaskTimedOutEventAttributes(let attributes):
                end = (attributes.scheduledEventID, attributes.startedEventID)
            case .activityTaskCanceledEventAttributes(let attributes):
                end = (attributes.scheduledEventID, attributes.startedEventID)
            default: continue
            }
            if pending.remove(end.scheduled) == nil {
                violations.append("\(event.eventID) ends activity \(end.scheduled), which is not pending")
            }
            if end.started != started.removeValue(forKey: end.scheduled) ?? 0 {
                violations.append("\(event.eventID) names \(end.started) as the start of activity \(end.scheduled)")
            }
        }
        violations += started.keys.map { "activity \($0) has a start and no end" }
        return violations
    }

    private static func timers(_ history: [HistoryEvent]) -> [String] {
        var violations: [String] = []
        var pending: [Int64: String] = [:]
        for event in history {
            switch event.attributes {
            case .timerStartedEventAttributes(let attributes):
                pending[event.eventID] = attributes.timerID
            case .timerFiredEventAttributes(let attributes):
                if pending.removeValue(forKey: attributes.startedEventID) != attributes.timerID {
                    violations.append("\(event.eventID) fires timer \(attributes.startedEventID), which does not run")
                }
            case .timerCanceledEventAttributes(let attributes):
                if pending.removeValue(forKey: attributes.startedEventID) != attributes.timerID {
                    violations.append("\(event.eventID) cancels timer \(attributes.startedEventID), which does not run")
                }
            default: continue
            }
        }
        return violations
    }

    /// Accepted once, completed once at most, and by that acceptance.
    private static func updates(_ history: [HistoryEvent]) -> [String] {
        var violations: [String] = []
        var accepted: [String: Int64] = [:]
        for event in history {
            switch event.attributes {
            case .workflowExecutionUpdateAcceptedEventAttributes(let attributes):
                let id = attributes.protocolInstanceID
                if accepted[id] != nil { violations.append("\(event.eventID) accepts update \(id) again") }
                accepted[id] = event.eventID
            case .workflowExecutionUpdateCompletedEventAttributes(let attributes):
                let id = attributes.meta?.updateID ?? ""
                if accepted[id] != attributes.acceptedEventID {
                    violations.append("\(event.eventID) completes update \(id) of \(attributes.acceptedEventID)")
                }
                accepted[id] = 0
            default: continue
            }
        }
        return violations
    }
}
