public import SagamoreAPI
public import SagamoreProtobuf

extension RawMessage<Payloads> {
    /// One payload with a JSON string of the server that needs no escapes.
    public init(jsonText text: String) {
        var payload = Payload()
        payload.metadata["encoding"] = Array("json/plain".utf8)
        payload.data = Array("\"\(text)\"".utf8)
        var payloads = Payloads()
        payloads.payloads = [payload]
        self.init(payloads)
    }
}
