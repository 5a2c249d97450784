public import Sagamore
internal import SagamoreAPI

/// Replays recorded histories with the present code, without a server: a change that would break running workflows
/// fails a test instead.
///
///     let replayer = WorkflowReplayer { BookTrip.registered }
///     try replayer.replay(WorkflowHistory(contentsOfFile: "trip.json"))
public struct WorkflowReplayer: Sendable {
    private let registrations: [Registration]

    /// A replayer for these workflows. Activities may be among the registrations; they are not run.
    public init(@RegistrationBuilder _ registrations: () -> [Registration]) {
        self.registrations = registrations()
    }

    /// Replays a history as a worker would that has lost the run from its memory.
    ///
    /// - Throws: `NondeterminismError` with the event, what the history has there and what the code did;
    ///   ``ReplayError`` when the history cannot be replayed at all; the workflow's own error when it is one that fails
    ///   a task.
    public func replay(_ history: WorkflowHistory) throws {
        guard case .workflowExecutionStartedEventAttributes(let started)? = history.events.first?.attributes else {
            throw ReplayError(code: .badHistory, message: "the first event is not WorkflowExecutionStarted")
        }
        let type = started.workflowType?.name ?? ""
        let known = HistoryReplay.workflows(among: registrations)
        guard known.contains(type) else {
            let names = known.isEmpty ? "none" : known.map { "'\($0)'" }.joined(separator: ", ")
            throw ReplayError(
                code: .unknownWorkflow,
                message: "the history is one of '\(type)'; registered workflows: \(names)"
            )
        }
        try HistoryReplay.replay(history.events, started, workflowID: history.workflowID, registrations)
    }
}

/// A history cannot be replayed.
public struct ReplayError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Why.
    public enum Code: Sendable, Hashable {
        /// The history does not begin with the start of a workflow.
        case badHistory
        /// The history's workflow is not registered.
        case unknownWorkflow
        /// A folder of histories cannot be read, or holds none.
        case badFolder
    }

    /// Why.
    public let code: Code
    /// What is missing.
    public let message: String

    /// What is missing.
    public var description: String { message }
}
