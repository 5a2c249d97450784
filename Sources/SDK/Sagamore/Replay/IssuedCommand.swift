internal import SagamoreAPI

/// What workflow code wants from the server, until the history shows that it was done.
struct IssuedCommand: Sendable {
    enum Kind: Sendable, Hashable {
        case scheduleActivity, cancelActivity, startTimer, cancelTimer, complete, fail, cancel
    }

    let kind: Kind
    /// Which activity or timer; 0 for the end of the workflow.
    let sequence: Int
    /// The activity's name; empty otherwise.
    let name: String
    /// What goes on the wire; nil once it has gone, or is known to have gone.
    var command: Command?

    var description: String {
        switch kind {
        case .scheduleActivity: "activity '\(name)' with id \(sequence)"
        case .cancelActivity: "cancelling activity '\(name)' with id \(sequence)"
        case .startTimer: "timer with id \(sequence)"
        case .cancelTimer: "cancelling the timer with id \(sequence)"
        case .complete: "completing the workflow"
        case .fail: "failing the workflow"
        case .cancel: "ending the workflow as cancelled"
        }
    }
}
