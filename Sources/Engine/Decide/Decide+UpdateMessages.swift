internal import SagamoreAPI
internal import SagamoreProtobuf

/// The messages in a completion: what a worker says of updates. A command of its own tells where an event of one stands
/// among those of the other commands; the rest come last, in order.
extension Execution {
    /// The message that a command names.
    func receive(
        messageID: String,
        _ context: inout CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        if messageID.isEmpty { return badMessage("MessageID is not set on ProtocolMessageCommand.") }
        guard let message = context.takeMessage(messageID) else {
            return badMessage("ProtocolMessageCommand referenced absent message ID \(messageID)")
        }
        return receive(message, context, in: &draft)
    }

    /// The messages that no command names. Then the updates that the worker has not answered are rejected, unless it
    /// asked for more time.
    func receiveOtherMessages(
        _ context: CommandContext,
        _ started: StartedWorkflowTask,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let request = context.completion.request
        for (index, message) in request.messages.enumerated() where !context.takenMessages.contains(index) {
            if let refusal = receive(message, context, in: &draft) { return refusal }
        }
        guard !draft.isClosed, !request.forceCreateNewWorkflowTask else { return nil }
        for update in volatile.updates where update.isSent && !draft.updates.hasAnswered(update.id) {
            reject(update.id, ignoredUpdateOutcome, in: &draft)
        }
        for (id, update) in durable.updates.sorted(by: { $0.key < $1.key }) {
            guard case .admitted(let eventID) = update, eventID < started.startedEventID,
                !draft.updates.hasAnswered(id.text)
            else { continue }
            reject(id.text, ignoredUpdateOutcome, in: &draft)
        }
        return nil
    }

    /// The updates that are answered without an event leave memory.
    func settleUpdates(in draft: inout Draft) {
        guard !draft.updates.settled.isEmpty else { return }
        draft.volatile(.updatesSettled(draft.updates.settled.sorted().map(\.text)))
    }

    /// The worker's answer fails its task. It has seen these updates, and would answer them alike the next time.
    func failSentUpdates(in draft: inout Draft) {
        for update in volatile.updates where update.isSent {
            draft.updates.settled.insert(ExactText(update.id))
            draft.tell(update.id, .failed(.updateTaskFailed))
        }
        settleUpdates(in: &draft)
    }

    private func receive(
        _ message: ProtocolMessage,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        guard let body = message.body else { return badMessage("nil message body") }
        let name = body.typeURL.split(separator: "/").last.map { String($0) } ?? ""
        let package = name.split(separator: ".").dropLast().joined(separator: ".")
        if body.value.count > context.limits.payloadBytes {
            let explanation = "Message type \(name) exceeds size limit."
            return CommandRefusal(.badUpdateWorkflowExecutionMessage, explanation, isTerminal: true)
        }
        guard package == "temporal.api.update.v1" else { return badMessage("unsupported protocol type \(package)") }
        let id = message.protocolInstanceID
        do throws(ProtobufError) {
            switch name {
            case Acceptance.protobufMessageName:
                return accept(id, try Acceptance(serializedBytes: body.value), in: &draft)
            case Rejection.protobufMessageName:
                return reject(id, try Rejection(serializedBytes: body.value), in: &draft)
            case Response.protobufMessageName:
                return complete(id, try Response(serializedBytes: body.value), in: &draft)
            default:
                return badMessage("Message type *update.\(name.split(separator: ".").last ?? "") not supported")
            }
        } catch {
            return badMessage("unable to unmarshal request: \(error)")
        }
    }

    private func badMessage(_ explanation: String) -> CommandRefusal {
        CommandRefusal(.badUpdateWorkflowExecutionMessage, explanation)
    }

    private func accept(_ id: String, _ acceptance: Acceptance, in draft: inout Draft) -> CommandRefusal? {
        // The end of the run has answered for it.
        if draft.isClosed { return nil }
        let stage = stage(of: id, draft)
        var attributes = WorkflowExecutionUpdateAcceptedEventAttributes()
        switch stage {
        case .pending(let update): attributes.acceptedRequest = update.request
        case .admitted: break
        case .unknown:
            // Its caller's retry is still on its way. The worker has sent along what was asked.
            guard let request = acceptance.acceptedRequest else { return unknownUpdate(id) }
            attributes.acceptedRequest = request
        default: return misplaced("Acceptance", of: id, stage)
        }
        attributes.protocolInstanceID = id
        attributes.acceptedRequestMessageID = PendingUpdate.messageID(of: id)
        attributes.acceptedRequestSequencingEventID = acceptance.acceptedRequestSequencingEventID
        let event = draft.event(
            .workflowExecutionUpdateAccepted,
            .workflowExecutionUpdateAcceptedEventAttributes(attributes)
        )
        draft.updates.accepted[ExactText(id)] = event.id
        draft.tell(id, .accepted)
        return nil
    }

    private func reject(_ id: String, _ rejection: Rejection, in draft: inout Draft) -> CommandRefusal? {
        let stage = stage(of: id, draft)
        switch stage {
        case .pending, .admitted: break
        case .unknown: return rejection.rejectedRequest == nil ? unknownUpdate(id) : nil
        default: return misplaced("Rejection", of: id, stage)
        }
        var outcome = Outcome()
        outcome.value = .failure(rejection.failure ?? RawMessage())
        reject(id, outcome, in: &draft)
        return nil
    }

    private func reject(_ id: String, _ outcome: Outcome, in draft: inout Draft) {
        let key = ExactText(id)
        if durable.updates[key] != nil {
            if !draft.isClosed { draft.fact(.updateRejected(id)) }
        }
        draft.updates.settled.insert(key)
        draft.tell(id, .ended(outcome))
    }

    private func complete(_ id: String, _ response: Response, in draft: inout Draft) -> CommandRefusal? {
        if draft.isClosed { return nil }
        let stage = stage(of: id, draft)
        let acceptedEventID: Int64
        switch stage {
        case .accepted(let eventID, _): acceptedEventID = eventID
        case .unknown: return unknownUpdate(id)
        default: return misplaced("Response", of: id, stage)
        }
        guard let meta = response.meta else { return badMessage("invalid *update.Response: meta is not set") }
        if meta.updateID.isEmpty { return badMessage("invalid *update.Response: meta.update_id is not set") }
        guard meta.updateID.hasSameBytes(as: id) else {
            return badMessage("invalid *update.Response: meta.update_id != \(id)")
        }
        guard let outcome = response.outcome else { return badMessage("invalid *update.Response: outcome is not set") }
        var attributes = WorkflowExecutionUpdateCompletedEventAttributes()
        attributes.meta = meta
        attributes.acceptedEventID = acceptedEventID
        attributes.outcome = outcome
        draft.event(.workflowExecutionUpdateCompleted, .workflowExecutionUpdateCompletedEventAttributes(attributes))
        draft.updates.completed.insert(ExactText(id))
        draft.tell(id, .ended(outcome))
        return nil
    }

    private func unknownUpdate(_ id: String) -> CommandRefusal {
        badMessage(
            "update \(id) wasn't found on the server. This is most likely a transient error which will be resolved "
                + "automatically by retries"
        )
    }

    private func misplaced(_ message: String, of id: String, _ stage: UpdateStage) -> CommandRefusal {
        badMessage(
            "invalid state transition attempted for Update \(id): received *update.\(message) message while in state "
                + stage.name
        )
    }

    /// How far an update has come within a decision.
    private enum UpdateStage {
        case unknown
        case pending(PendingUpdate)
        case admitted
        case accepted(eventID: Int64, isWritten: Bool)
        case answered
        case completed

        /// The state's name in Temporal's messages.
        var name: String {
            switch self {
            case .unknown: "Created"
            case .pending(let update): update.isSent ? "Sent" : "Admitted"
            case .admitted: "Sent"
            case .accepted(_, let isWritten): isWritten ? "Accepted" : "ProvisionallyAccepted"
            case .answered: "ProvisionallyCompleted"
            case .completed: "Completed"
            }
        }
    }

    private func stage(of id: String, _ draft: Draft) -> UpdateStage {
        let key = ExactText(id)
        if draft.updates.completed.contains(key) || draft.updates.settled.contains(key) { return .answered }
        if let eventID = draft.updates.accepted[key] { return .accepted(eventID: eventID, isWritten: false) }
        if durable.completedUpdates[key] != nil { return .completed }
        switch durable.updates[key] {
        case .accepted(let eventID): return .accepted(eventID: eventID, isWritten: true)
        case .admitted: return .admitted
        case nil: return pendingUpdate(id).map { .pending($0) } ?? .unknown
        }
    }
}

extension CommandContext {
    /// Takes a message out of the completion; nil if there is none with this id that was not taken.
    mutating func takeMessage(_ id: String) -> ProtocolMessage? {
        let messages = completion.request.messages
        let index = messages.indices.first { !takenMessages.contains($0) && messages[$0].id.hasSameBytes(as: id) }
        guard let index else { return nil }
        takenMessages.insert(index)
        return messages[index]
    }
}
