internal import SagamoreAPI
internal import SagamoreProtobuf

extension RunCore {
    /// The code does not accept an update. It leaves no trace in the history.
    func reject(_ update: UpdateInput, _ error: any Error) {
        messages.append(update.message(.rejected(error)))
    }

    /// The code accepts an update.
    func accept(_ update: UpdateInput) {
        runningHandlers += 1
        issue(.acceptUpdate, update, id: update.instanceID, messageID: update.acceptanceID)
        messages.append(update.message(.accepted))
    }

    /// The handler of an accepted update has ended. An error that is not a ``WorkflowFailure`` counts as a bug, and
    /// fails the workflow task.
    func finish(_ update: UpdateInput, _ result: Result<RawMessage<Payloads>, any Error>) {
        // The code of an evicted run has no outcome.
        guard !isDead else { return }
        runningHandlers -= 1
        handlerTasks[update.instanceID] = nil
        var outcome = Outcome()
        switch result {
        case .success(let payloads) where payloads.bytes.count > WorkflowReply.mostPayloadBytes:
            let error = WorkflowReply.tooLarge("the result of update '\(update.name)'", payloads.bytes.count)
            outcome.value = .failure(RawMessage(FailureCoding.failure(error)))
        case .success(let payloads): outcome.value = .success(payloads)
        case .failure(let error) where error is any WorkflowFailure || CanceledError.isCancellation(error):
            outcome.value = .failure(RawMessage(FailureCoding.failure(error)))
        case .failure(let error):
            handlerError = error
            return
        }
        issue(.completeUpdate, update, id: update.updateID, messageID: update.completionID)
        messages.append(update.message(.completed(outcome)))
    }

    private func issue(_ kind: IssuedCommand.Kind, _ update: UpdateInput, id: String, messageID: String) {
        ledger.issue(
            IssuedCommand(
                kind: kind,
                sequence: 0,
                name: update.name,
                id: id,
                command: CommandMaker.protocolMessage(messageID)
            )
        )
    }

    /// Returns the messages since the last call.
    func takeMessages() -> [ProtocolMessage] {
        defer { messages = [] }
        return messages
    }
}
