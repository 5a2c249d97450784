package import SagamoreAPI
package import SagamoreEngine
package import SagamoreProtobuf

/// Updates, and the messages by which workers answer them.
extension Samples {
    package static func updateRequest(_ id: String) -> Request {
        var request = Request()
        request.meta = Meta()
        request.meta?.updateID = id
        request.meta?.identity = "client"
        request.input = Input()
        request.input?.name = "change"
        request.input?.args = payloads("to")
        return request
    }

    package static func update(_ id: String, limits: Limits) throws(RequestError) -> UpdateRequest {
        try UpdateRequest(updateRequest(id), limits: limits)
    }

    package static func acceptance(_ id: String, request: Request? = nil) -> ProtocolMessage {
        var acceptance = Acceptance()
        acceptance.acceptedRequestMessageID = "\(id)/request"
        acceptance.acceptedRequestSequencingEventID = 1
        acceptance.acceptedRequest = request
        return message(id, "accept", ProtobufAny(packing: acceptance))
    }

    package static func rejection(_ id: String) -> ProtocolMessage {
        var rejection = Rejection()
        rejection.rejectedRequestMessageID = "\(id)/request"
        rejection.failure = failure("not now")
        return message(id, "reject", ProtobufAny(packing: rejection))
    }

    package static func completion(_ id: String, _ value: String = "done") -> ProtocolMessage {
        var response = Response()
        response.meta = Meta()
        response.meta?.updateID = id
        response.outcome = outcome(value)
        return message(id, "complete", ProtobufAny(packing: response))
    }

    package static func outcome(_ value: String) -> Outcome {
        var outcome = Outcome()
        outcome.value = .success(payloads(value))
        return outcome
    }

    package static func message(_ id: String, _ kind: String, _ body: ProtobufAny) -> ProtocolMessage {
        var message = ProtocolMessage()
        message.id = "\(id)/\(kind)"
        message.protocolInstanceID = id
        message.body = body
        return message
    }

    /// The command that says where a message stands among the commands.
    package static func order(_ message: ProtocolMessage) -> Command {
        var attributes = ProtocolMessageCommandAttributes()
        attributes.messageID = message.id
        var command = Command()
        command.commandType = .protocolMessage
        command.attributes = .protocolMessageCommandAttributes(attributes)
        return command
    }
}

extension Stage {
    @discardableResult
    package func update(_ id: String) throws(RequestError) -> Decision {
        let request = try Samples.update(id, limits: limits)
        return apply(try execution.decide(request, at: now, limits: limits))
    }

    @discardableResult
    package func reapplyUpdate(_ id: String) throws(RequestError) -> Decision {
        apply(try execution.decide(reapplying: try Samples.update(id, limits: limits), at: now))
    }

    /// The worker answers with messages, which stand behind its commands.
    @discardableResult
    package func answer(_ messages: ProtocolMessage..., commands: Command...) throws(RequestError) -> Decision {
        try complete { request in
            request.messages = messages
            request.commands = commands
        }
    }
}

/// What a decision tells the callers of updates, a line each.
extension Decision {
    package var updateOutline: [String] {
        updates.map { news in
            switch news.kind {
            case .accepted: "\(news.id) accepted"
            case .ended(let outcome):
                switch outcome.value {
                case .success: "\(news.id) succeeded"
                case .failure(let failure): "\(news.id) failed: \((try? failure.decoded())?.message ?? "")"
                case nil: "\(news.id) ended"
                }
            case .failed(let error): "\(news.id) refused: \(error.message)"
            }
        }
    }
}
