public import SagamoreAPI
internal import SagamoreJSONText

extension Payload {
    /// A value of a search attribute as clients show it: JSON, with its type.
    public init(searchAttribute json: [UInt8], type: SearchAttributeType) {
        self.init()
        metadata["encoding"] = Array("json/plain".utf8)
        metadata["type"] = Array(type.name.utf8)
        data = json
    }

    /// Several keywords as clients show them.
    public init(keywords: [String]) {
        self.init(searchAttribute: JSONValue.array(keywords.map { .string($0) }).serialize(), type: .keywordList)
    }
}
