internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// The answers to updates.
extension SimulatedWorker {
    /// Adds the answers to what a workflow task carried, and the outcomes of what was accepted before.
    func addMessages(
        to request: inout RespondWorkflowTaskCompletedRequest,
        _ task: AssignedWorkflowTask,
        _ run: ScriptRun
    ) {
        var answers = run.openUpdates.map { Self.completion(String(decoding: $0, as: UTF8.self)) }
        for message in task.delivery.messages {
            let id = message.protocolInstanceID
            counts.updates += 1
            switch UpdateKind(updateID: id) {
            case .rejected?: answers.append(Self.rejection(id))
            case .completed?: answers += [Self.acceptance(message), Self.completion(id)]
            case .accepted?: answers.append(Self.acceptance(message))
            case nil: ledgers.violation("a worker was sent update \(id), which no client has")
            }
        }
        request.messages = answers
        if !answers.isEmpty, scheduler.random.happens(0.7) {
            var capabilities = RespondWorkflowTaskCompletedRequest.Capabilities()
            capabilities.discardSpeculativeWorkflowTaskWithEvents = true
            request.capabilities = capabilities
        }
        // Where the code ends, what it says of updates has to stand before its end.
        guard run.isOver else { return }
        let orders = answers.filter { !$0.id.hasSuffix("/reject") }.map { answer in
            var attributes = ProtocolMessageCommandAttributes()
            attributes.messageID = answer.id
            var command = Command()
            command.commandType = .protocolMessage
            command.attributes = .protocolMessageCommandAttributes(attributes)
            return command
        }
        request.commands = orders + request.commands
    }

    private static func acceptance(_ message: ProtocolMessage) -> ProtocolMessage {
        var acceptance = Acceptance()
        acceptance.acceptedRequestMessageID = message.id
        if case .eventID(let id)? = message.sequencingID { acceptance.acceptedRequestSequencingEventID = id }
        return answer(message.protocolInstanceID, "accept", ProtobufAny(packing: acceptance))
    }

    private static func rejection(_ id: String) -> ProtocolMessage {
        var failure = Failure()
        failure.message = "not valid"
        var rejection = Rejection()
        rejection.failure = RawMessage(failure)
        return answer(id, "reject", ProtobufAny(packing: rejection))
    }

    private static func completion(_ id: String) -> ProtocolMessage {
        var response = Response()
        response.meta = Meta()
        response.meta?.updateID = id
        response.outcome = Outcome()
        response.outcome?.value = .success(RawMessage(data: Array(id.utf8)))
        return answer(id, "complete", ProtobufAny(packing: response))
    }

    private static func answer(_ id: String, _ kind: String, _ body: ProtobufAny) -> ProtocolMessage {
        var message = ProtocolMessage()
        message.id = "\(id)/\(kind)"
        message.protocolInstanceID = id
        message.body = body
        return message
    }
}
