internal import SagamoreAPI

/// A command of workflow code, until the history confirms it.
struct IssuedCommand: Sendable {
    enum Kind: Sendable, Hashable {
        case scheduleActivity, cancelActivity, startTimer, cancelTimer, complete, fail, cancel
    }

    let kind: Kind
    /// The number of the activity or timer; 0 for the end of the workflow.
    let sequence: Int
    /// The activity's name; empty otherwise.
    let name: String
    /// The message for the wire; nil once it is sent.
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
