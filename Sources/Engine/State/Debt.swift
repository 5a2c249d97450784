internal import SagamoreAPI

/// How far a run has come, as far as its owner has to care.
public enum RunLife: Equatable, Sendable {
    /// Its workflow can go on. Can transition to: closedWithDebts, done.
    case open
    /// Its workflow has ended, and the run still owes something: it stays with its owner, beside the run that may
    /// follow it. Can transition to: done.
    case closedWithDebts
    /// Its workflow has ended and the run owes nothing. Terminal.
    case done
}

/// What a run owes others: messages that the other side has not confirmed yet.
///
/// Nothing of it is stored as such. An open run owes what its pending children, signals and cancel requests say, and a
/// closed one what its end says. So a debt is found again after a recovery, and it lasts until the transition that
/// records the answer. A debt is named by the id of the event that it comes from. The receiver recognizes a repeated
/// message by the debtor's run id and this event id.
extension DurableState {
    /// How far the run has come.
    public var life: RunLife { isRunning ? .open : owesAfterClose ? .closedWithDebts : .done }

    private var owesAfterClose: Bool { unreportedEnd != nil || !childrenToEnd.isEmpty }

    /// The events from which the run owes something, in order. Visits all that is pending.
    public var owed: [Int64] {
        guard isRunning else { return childrenToEnd.sorted() + (unreportedEnd.map { [$0.eventID] } ?? []) }
        var ids = children.values.filter { $0.initiated != nil }.map(\.initiatedEventID)
        ids += signals.keys
        ids += cancels.keys
        return ids.sorted()
    }

    /// Whether the run owes what comes from this event.
    public func owes(_ eventID: Int64) -> Bool {
        guard isRunning else { return childrenToEnd.contains(eventID) || unreportedEnd?.eventID == eventID }
        return children[eventID]?.initiated != nil || signals[eventID] != nil || cancels[eventID] != nil
    }
}

extension HistoryEvent {
    /// The workflow task whose command ended the run with this event, by its last event; 0 for an end from outside.
    var closingTask: Int64 {
        switch attributes {
        case .workflowExecutionCompletedEventAttributes(let attributes): attributes.workflowTaskCompletedEventID
        case .workflowExecutionFailedEventAttributes(let attributes): attributes.workflowTaskCompletedEventID
        case .workflowExecutionCanceledEventAttributes(let attributes): attributes.workflowTaskCompletedEventID
        case .workflowExecutionContinuedAsNewEventAttributes(let attributes): attributes.workflowTaskCompletedEventID
        default: 0
        }
    }

    /// The run in which the chain goes on after this last event; empty if the chain ends with it. Such a run's parent
    /// is told nothing: the last run of the chain reports to it.
    var successorRunID: String {
        switch attributes {
        case .workflowExecutionCompletedEventAttributes(let attributes): attributes.newExecutionRunID
        case .workflowExecutionFailedEventAttributes(let attributes): attributes.newExecutionRunID
        case .workflowExecutionTimedOutEventAttributes(let attributes): attributes.newExecutionRunID
        case .workflowExecutionContinuedAsNewEventAttributes(let attributes): attributes.newExecutionRunID
        default: ""
        }
    }
}
