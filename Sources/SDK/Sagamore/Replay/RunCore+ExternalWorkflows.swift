internal import SagamoreAPI
internal import SagamoreProtobuf

/// A workflow that this one signals or cancels.
struct ExternalTarget: Sendable {
    let namespace: String
    let workflowID: String
    /// The run; empty for the current one.
    let runID: String
    /// Whether it must be a child of this workflow.
    let isChild: Bool

    var execution: WorkflowExecution { WorkflowExecution(workflowID: workflowID, runID: runID) }
}

/// A wait for the answer of another workflow; an object for the same reason as an activity's.
final class ExternalWait {
    let workflowID: String
    var continuation: RunCore.Continuation?

    init(_ workflowID: String) { self.workflowID = workflowID }
}

extension RunCore {
    /// Signals another workflow and waits until the signal is recorded there.
    func signal(_ target: ExternalTarget, _ name: String, _ input: RawMessage<Payloads>?) async throws {
        try await checkBeforeWait()
        if Task.isCancelled { throw CanceledError("the signal was not sent: its caller was cancelled") }
        let sequence = nextSequence()
        ledger.issue(
            IssuedCommand(
                kind: .signalWorkflow,
                sequence: sequence,
                name: name,
                id: target.workflowID,
                command: CommandMaker.signalWorkflow(target, name, input)
            )
        )
        try await answer(sequence, .signalWorkflow, target)
    }

    /// Asks another workflow to cancel, and waits until the request is recorded there.
    func cancel(_ target: ExternalTarget, reason: String) async throws {
        try await checkBeforeWait()
        if Task.isCancelled { throw CanceledError("the request was not sent: its caller was cancelled") }
        let sequence = nextSequence()
        issueCancel(target, sequence: sequence, reason: reason)
        try await answer(sequence, .cancelWorkflow, target)
    }

    func issueCancel(_ target: ExternalTarget, sequence: Int, reason: String) {
        ledger.issue(
            IssuedCommand(
                kind: .cancelWorkflow,
                sequence: sequence,
                name: "",
                id: target.workflowID,
                command: CommandMaker.cancelWorkflow(target, reason: reason)
            )
        )
    }

    private func answer(_ sequence: Int, _ kind: IssuedCommand.Kind, _ target: ExternalTarget) async throws {
        let wait = ExternalWait(target.workflowID)
        externals[sequence] = wait
        _ = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait.continuation = $0 }
        } onCancel: {
            // What is sent cannot be taken back, and its answer comes soon.
            guard (try? check()) != nil, ledger.withdraw(kind, sequence) else { return }
            let error = CanceledError("the request was not sent: its caller was cancelled")
            externals.removeValue(forKey: sequence)?.continuation?.resume(throwing: error)
        }
    }

    /// The other workflow has answered.
    func externalAnswered(_ initiatedEventID: Int64, _ failure: ExternalWorkflowError.Reason?) {
        guard let sequence = ledger.sequence(initiatedBy: initiatedEventID) else { return }
        ledger.forget(initiatedBy: initiatedEventID)
        guard let wait = externals.removeValue(forKey: sequence) else { return }
        if let failure {
            let error = ExternalWorkflowError(workflowID: wait.workflowID, reason: failure)
            wait.continuation?.resume(throwing: error)
        } else {
            wait.continuation?.resume(returning: .met)
        }
    }
}
