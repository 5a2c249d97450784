import SagamoreAPI
import SagamoreProtobuf

/// The answers to updates.
extension StubWorker {
    /// Accepts the updates of a workflow task, and completes them with a result.
    ///
    /// - Parameter json: the result; nil leaves them accepted.
    func acceptUpdates(_ task: PollWorkflowTaskQueueResponse, json: String?) async throws {
        var messages: [ProtocolMessage] = []
        for request in task.messages {
            var acceptance = Acceptance()
            acceptance.acceptedRequestMessageID = request.id
            if case .eventID(let id)? = request.sequencingID { acceptance.acceptedRequestSequencingEventID = id }
            messages.append(Self.message(to: request, "accept", ProtobufAny(packing: acceptance)))
            guard let json else { continue }
            var outcome = Outcome()
            outcome.value = .success(Self.payloads(json))
            var response = Response()
            response.meta = Meta()
            response.meta?.updateID = request.protocolInstanceID
            response.outcome = outcome
            messages.append(Self.message(to: request, "complete", ProtobufAny(packing: response)))
        }
        try await complete(task, messages: messages)
    }

    /// Rejects the updates of a workflow task.
    func rejectUpdates(_ task: PollWorkflowTaskQueueResponse, message: String) async throws {
        let messages = task.messages.map { request in
            var failure = Failure()
            failure.message = message
            var rejection = Rejection()
            rejection.rejectedRequestMessageID = request.id
            rejection.failure = RawMessage(failure)
            return Self.message(to: request, "reject", ProtobufAny(packing: rejection))
        }
        try await complete(task, messages: messages)
    }

    private func complete(_ task: PollWorkflowTaskQueueResponse, messages: [ProtocolMessage]) async throws {
        var request = RespondWorkflowTaskCompletedRequest()
        request.namespace = "default"
        request.taskToken = task.taskToken
        request.identity = "stub"
        request.messages = messages
        let _: RespondWorkflowTaskCompletedResponse = try await call(.respondWorkflowTaskCompleted, request)
    }

    private static func message(to request: ProtocolMessage, _ kind: String, _ body: ProtobufAny) -> ProtocolMessage {
        var message = ProtocolMessage()
        message.id = "\(request.protocolInstanceID)/\(kind)"
        message.protocolInstanceID = request.protocolInstanceID
        message.body = body
        return message
    }
}
