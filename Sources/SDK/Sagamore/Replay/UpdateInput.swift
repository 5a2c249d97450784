package import SagamoreAPI
internal import SagamoreProtobuf

/// An update for workflow code: from a workflow task's message, or from the event that says it was accepted.
package struct UpdateInput: Sendable {
    /// The id of the protocol's instance; servers use the update's id.
    let instanceID: String
    /// The id of the request's message.
    let messageID: String
    /// The last event before the update.
    let sequencingEventID: Int64
    /// The request: id, name, arguments.
    let request: Request

    var updateID: String { request.meta?.updateID ?? instanceID }
    var name: String { request.input?.name ?? "" }

    /// An update that a worker has accepted before.
    init(_ event: WorkflowExecutionUpdateAcceptedEventAttributes, _ request: Request?) {
        instanceID = event.protocolInstanceID
        messageID = event.acceptedRequestMessageID
        sequencingEventID = event.acceptedRequestSequencingEventID
        self.request = request ?? Request()
    }

    /// An update that arrives with a workflow task; nil for messages of other kinds.
    package init?(_ message: ProtocolMessage) {
        guard let request = try? message.body?.unpacked(as: Request.self) else { return nil }
        instanceID = message.protocolInstanceID
        messageID = message.id
        sequencingEventID = if case .eventID(let id) = message.sequencingID { id } else { 0 }
        self.request = request
    }

    /// The answers to an update, as messages of its protocol.
    enum Answer {
        case accepted
        case rejected(any Error)
        case completed(Outcome)
    }

    func message(_ answer: Answer) -> ProtocolMessage {
        var message = ProtocolMessage()
        message.protocolInstanceID = instanceID
        switch answer {
        case .accepted:
            var body = Acceptance()
            body.acceptedRequestMessageID = messageID
            body.acceptedRequestSequencingEventID = sequencingEventID
            body.acceptedRequest = request
            message.id = acceptanceID
            message.body = ProtobufAny(packing: body)
        case .rejected(let error):
            var body = Rejection()
            body.rejectedRequestMessageID = messageID
            body.rejectedRequestSequencingEventID = sequencingEventID
            body.rejectedRequest = request
            body.failure = RawMessage(FailureCoding.failure(error))
            message.id = "\(instanceID)/reject"
            message.body = ProtobufAny(packing: body)
        case .completed(let outcome):
            var body = Response()
            body.meta = request.meta
            body.outcome = outcome
            message.id = completionID
            message.body = ProtobufAny(packing: body)
        }
        return message
    }

    var acceptanceID: String { "\(instanceID)/accept" }
    var completionID: String { "\(instanceID)/complete" }
}
