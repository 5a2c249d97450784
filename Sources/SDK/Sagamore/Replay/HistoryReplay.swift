package import SagamoreAPI

/// Replays a whole history, for tests.
package enum HistoryReplay {
    /// The names of the workflows among registrations, in order.
    package static func workflows(among registrations: [Registration]) -> [String] {
        registrations.filter { if case .workflow = $0.content { true } else { false } }.map(\.name).sorted()
    }

    /// Replays the events of a run.
    ///
    /// - Parameters:
    ///   - started: of its first event. The workflow is registered.
    /// - Throws: `NondeterminismError`, or the error of workflow code that fails its task.
    package static func replay(
        _ events: [HistoryEvent],
        _ started: WorkflowExecutionStartedEventAttributes,
        workflowID: String,
        _ registrations: [Registration]
    ) throws {
        let type = started.workflowType?.name ?? ""
        guard let registration = registrations.first(where: { $0.name == type }),
            case .workflow(_, let make) = registration.content
        else { preconditionFailure("workflow '\(type)' is not registered") }
        var info = WorkflowInfo(
            namespace: "default",
            workflowID: workflowID,
            runID: started.originalExecutionRunID,
            type: type,
            taskQueue: started.taskQueue?.name ?? "",
            attempt: 1
        )
        info.read(started)
        try replay(events, in: WorkflowRun(info, make()))
    }

    /// Replays the events of a run in one that has not begun, and evicts that one.
    package static func replay(_ events: [HistoryEvent], in run: WorkflowRun) throws {
        defer { run.evict() }
        switch run.handle(events) {
        case .failed(let failure): throw failure.error
        case .commands(let commands):
            // Those of a task under way are nowhere yet. What the code did in earlier tasks must be in the history.
            guard commands.isEmpty, let last = events.last else { return }
            try run.core.ledger.checkConfirmed(before: last.eventID + 1)
        }
    }
}
