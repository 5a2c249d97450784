internal import SagamoreAPI

/// A command of workflow code, until the history confirms it.
struct IssuedCommand: Sendable {
    enum Kind: Sendable, Hashable {
        case scheduleActivity, cancelActivity, startTimer, cancelTimer
        case startChild, signalWorkflow, cancelWorkflow
        case acceptUpdate, completeUpdate
        case complete, fail, cancel, continueAsNew
    }

    let kind: Kind
    /// The number of what the code waits for; 0 where it waits for nothing.
    let sequence: Int
    /// The name of the activity, child or signal; empty otherwise.
    let name: String
    /// The id on the wire; nil for the sequence.
    var id: String?
    /// The message for the wire; nil once it is sent.
    var command: Command?

    /// The id by which an event names the command.
    var wireID: String { id ?? String(sequence) }

    var description: String { kind.description(id: wireID, name: name) }
}

extension IssuedCommand.Kind {
    /// A command or its event, for people.
    func description(id: String, name: String) -> String {
        switch self {
        case .scheduleActivity: "activity '\(name)' with id \(id)"
        case .cancelActivity: "cancelling activity '\(name)' with id \(id)"
        case .startTimer: "timer with id \(id)"
        case .cancelTimer: "cancelling the timer with id \(id)"
        case .startChild: "child workflow '\(name)' with id \(id)"
        case .signalWorkflow: "signal '\(name)' to workflow \(id)"
        case .cancelWorkflow: "cancelling workflow \(id)"
        case .acceptUpdate: "accepting update '\(name)' with id \(id)"
        case .completeUpdate: "completing the update with id \(id)"
        case .complete: "completing the workflow"
        case .fail: "failing the workflow"
        case .cancel: "ending the workflow as cancelled"
        case .continueAsNew: "continuing as new"
        }
    }
}
