internal import SagamoreAPI
internal import SagamoreEngine

/// What the journal says of children, signals and cancel requests.
extension JournalReading {
    func childDifferences(_ state: DurableState) -> [String] {
        let isOpen = state.status == .running
        var outcomes: Set<Int64> = []
        var started: [Int64: (runID: String, eventID: Int64)] = [:]
        for event in happened {
            if let ended = event.outcomeOf { outcomes.insert(ended) }
            if case .childWorkflowExecutionStartedEventAttributes(let it) = event.attributes {
                let known = started[it.initiatedEventID]?.eventID ?? 0
                started[it.initiatedEventID] = (it.workflowExecution?.runID ?? "", max(known, event.eventID))
            }
        }
        var children: [String] = []
        var signals: [Int64] = []
        var cancels: [Int64] = []
        var toEnd: [Int64] = []
        let lastTask = events.last.map { closingTask(of: $0.event) } ?? 0
        for recorded in events where !outcomes.contains(recorded.event.eventID) {
            let id = recorded.event.eventID
            switch recorded.event.attributes {
            case .startChildWorkflowExecutionInitiatedEventAttributes(let it):
                let start = started[id]
                let isStarted = start != nil
                children.append("\(id) \(it.workflowID) \(start?.runID ?? "") \(start?.eventID ?? 0) \(isStarted)")
                let isNew = it.workflowTaskCompletedEventID == lastTask && !isStarted
                if !isOpen, it.parentClosePolicy != .abandon, !isNew { toEnd.append(id) }
            case .signalExternalWorkflowExecutionInitiatedEventAttributes: if isOpen { signals.append(id) }
            case .requestCancelExternalWorkflowExecutionInitiatedEventAttributes: if isOpen { cancels.append(id) }
            default: continue
            }
        }
        var settled: Set<Int64> = []
        for case .debtSettled(let id) in facts.map(\.fact) { settled.insert(id) }
        var differences: [String] = []
        func check<Value: Equatable>(_ field: String, _ actual: Value, _ expected: Value) {
            if actual != expected { differences.append("\(field): is \(actual), the journal says \(expected)") }
        }
        let known = state.children.values.sorted { $0.initiatedEventID < $1.initiatedEventID }.map {
            "\($0.initiatedEventID) \($0.workflowID) \($0.runID) \($0.startedEventID) \($0.initiated == nil)"
        }
        check("children", known, children)
        check("signals", state.signals.keys.sorted(), signals)
        check("cancels", state.cancels.keys.sorted(), cancels)
        check("childrenToEnd", state.childrenToEnd.sorted(), toEnd.filter { !settled.contains($0) })
        if case .workflowExecutionStartedEventAttributes(let it) = events.first?.event.attributes {
            check("parent", state.parent?.workflowID, it.parentWorkflowExecution?.workflowID)
            check("parent's event", state.parent?.initiatedEventID ?? 0, it.parentInitiatedEventID)
            check("root", state.root?.workflowID, it.rootWorkflowExecution?.workflowID)
            let owesReport = !isOpen && it.parentWorkflowExecution != nil
            // The last run of a chain reports.
            let end = owesReport ? events.last.map(\.event).flatMap { $0.hasSuccessor ? nil : $0 } : nil
            check("unreportedEnd", state.unreportedEnd, end.flatMap { settled.contains($0.eventID) ? nil : $0 })
        }
        return differences
    }

    private func closingTask(of event: HistoryEvent) -> Int64 {
        switch event.attributes {
        case .workflowExecutionCompletedEventAttributes(let it): it.workflowTaskCompletedEventID
        case .workflowExecutionFailedEventAttributes(let it): it.workflowTaskCompletedEventID
        case .workflowExecutionCanceledEventAttributes(let it): it.workflowTaskCompletedEventID
        case .workflowExecutionContinuedAsNewEventAttributes(let it): it.workflowTaskCompletedEventID
        default: 0
        }
    }
}

extension HistoryEvent {
    /// The Initiated event whose child, signal or cancel request has its outcome in this event.
    var outcomeOf: Int64? {
        switch attributes {
        case .startChildWorkflowExecutionFailedEventAttributes(let it): it.initiatedEventID
        case .childWorkflowExecutionCompletedEventAttributes(let it): it.initiatedEventID
        case .childWorkflowExecutionFailedEventAttributes(let it): it.initiatedEventID
        case .childWorkflowExecutionCanceledEventAttributes(let it): it.initiatedEventID
        case .childWorkflowExecutionTimedOutEventAttributes(let it): it.initiatedEventID
        case .childWorkflowExecutionTerminatedEventAttributes(let it): it.initiatedEventID
        case .externalWorkflowExecutionSignaledEventAttributes(let it): it.initiatedEventID
        case .signalExternalWorkflowExecutionFailedEventAttributes(let it): it.initiatedEventID
        case .externalWorkflowExecutionCancelRequestedEventAttributes(let it): it.initiatedEventID
        case .requestCancelExternalWorkflowExecutionFailedEventAttributes(let it): it.initiatedEventID
        default: nil
        }
    }

    /// The started event's id that the end of a child names; nil for other events.
    private var childStart: Int64? {
        switch attributes {
        case .childWorkflowExecutionCompletedEventAttributes(let it): it.startedEventID
        case .childWorkflowExecutionFailedEventAttributes(let it): it.startedEventID
        case .childWorkflowExecutionCanceledEventAttributes(let it): it.startedEventID
        case .childWorkflowExecutionTimedOutEventAttributes(let it): it.startedEventID
        case .childWorkflowExecutionTerminatedEventAttributes(let it): it.startedEventID
        default: nil
        }
    }

    /// What the children of a history, its signals and cancel requests break: each has one outcome, and a child ends
    /// after its start.
    static func childViolations(in history: [HistoryEvent]) -> [String] {
        var violations: [String] = []
        var pending: Set<Int64> = []
        var started: [Int64: Int64] = [:]
        for event in history {
            switch event.attributes {
            case .startChildWorkflowExecutionInitiatedEventAttributes,
                .signalExternalWorkflowExecutionInitiatedEventAttributes,
                .requestCancelExternalWorkflowExecutionInitiatedEventAttributes:
                pending.insert(event.eventID)
            case .childWorkflowExecutionStartedEventAttributes(let it):
                if started.updateValue(event.eventID, forKey: it.initiatedEventID) != nil {
                    violations.append("\(event.eventID) starts child \(it.initiatedEventID) again")
                }
            default: break
            }
            guard let ended = event.outcomeOf else { continue }
            if pending.remove(ended) == nil { violations.append("\(event.eventID) ends \(ended) once too often") }
            if let start = event.childStart, start != started[ended] {
                violations.append("\(event.eventID) names \(start) as the start of child \(ended)")
            }
        }
        return violations
    }
}

extension HistoryEvent {
    /// Whether another run follows the one that ended with this event.
    fileprivate var hasSuccessor: Bool {
        switch attributes {
        case .workflowExecutionCompletedEventAttributes(let it): !it.newExecutionRunID.isEmpty
        case .workflowExecutionFailedEventAttributes(let it): !it.newExecutionRunID.isEmpty
        case .workflowExecutionTimedOutEventAttributes(let it): !it.newExecutionRunID.isEmpty
        case .workflowExecutionContinuedAsNewEventAttributes: true
        default: false
        }
    }
}
