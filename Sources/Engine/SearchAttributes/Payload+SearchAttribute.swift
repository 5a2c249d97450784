public import SagamoreAPI

extension Payload {
    /// A value of a search attribute as clients show it: JSON, with its type.
    public init(searchAttribute json: [UInt8], type: SearchAttributeType) {
        self.init()
        metadata["encoding"] = Array("json/plain".utf8)
        metadata["type"] = Array(type.name.utf8)
        data = json
    }
}
