public import SagamoreAPI
internal import SagamoreJSONText
public import SagamoreProtobuf

extension SearchAttributeCatalog {
    /// What is wrong with a value that a workflow sets, in Temporal's words.
    func problem(with name: String, _ payload: Payload) -> String? {
        if Self.isMaintained(name) { return nil }
        guard let attribute = self[name] else {
            return "Namespace \(namespace) has no mapping defined for search attribute \(name)"
        }
        guard let json = try? JSONValue.parse(payload.data) else {
            if payload.isNoValue { return nil }
            return invalid(attribute, "value from <\(String(decoding: payload.data.prefix(100), as: UTF8.self))>")
        }
        if json == .null || json.array?.isEmpty == true { return nil }
        if let value = SearchAttributeValue(json, as: attribute.type), !value.holdsNUL { return nil }
        return invalid(attribute, Self.printed(json))
    }

    /// As Go prints a value.
    private static func printed(_ json: JSONValue) -> String {
        switch json {
        case .string(let text): String(text.prefix(100))
        case .array(let elements): "[" + elements.prefix(10).map(printed).joined(separator: " ") + "]"
        case .object: "map[]"
        case .number(let number):
            if let double = number.double, let whole = Int64(exactly: double), whole.magnitude < 1 << 53 {
                "\(whole)"
            } else {
                number.text
            }
        default: json.text()
        }
    }

    private func invalid(_ attribute: SearchAttribute, _ value: String) -> String {
        "invalid value for search attribute \(attribute.name) of type \(attribute.type.name): \(value)"
    }

    /// The values of those attributes that the namespace knows, in the order of their names. One that is null, or an
    /// empty list, is no value.
    public func values(
        of attributes: SearchAttributes
    ) -> [(attribute: SearchAttribute, value: SearchAttributeValue)] {
        attributes.indexedFields.sorted { $0.key < $1.key }.compactMap { name, payload in
            guard let attribute = self[name], let json = try? JSONValue.parse(payload.data),
                json.array?.isEmpty != true, let value = SearchAttributeValue(json, as: attribute.type)
            else { return nil }
            return (attribute, value)
        }
    }

    /// What a request sets, with the type of each value in its payload, as clients expect it in histories. Those that
    /// are null, or an empty list, are left out.
    public func typed(_ given: RawMessage<SearchAttributes>) -> RawMessage<SearchAttributes> {
        guard var attributes = try? given.decoded() else { return given }
        attributes.indexedFields = attributes.indexedFields.filter { !$0.isNoValue }
        return RawMessage(withTypes(attributes))
    }

    /// What a workflow changes, with the type of each value. Null, and an empty list, remove what was set before.
    func typedChange(_ given: RawMessage<SearchAttributes>) -> RawMessage<SearchAttributes> {
        guard let attributes = try? given.decoded() else { return given }
        return RawMessage(withTypes(attributes))
    }

    /// As lists show attributes: each with its type, and a list of one element that stands for it as that element.
    public func shown(_ attributes: SearchAttributes) -> SearchAttributes {
        var shown = SearchAttributes()
        for (name, payload) in attributes.indexedFields {
            var payload = payload
            if let type = self[name]?.type {
                payload.metadata["type"] = Array(type.name.utf8)
                if type != .keywordList, case .array(let elements)? = try? JSONValue.parse(payload.data),
                    let only = elements.first
                {
                    payload.data = only.serialize()
                }
            }
            shown.indexedFields[name] = payload
        }
        return shown
    }

    private func withTypes(_ attributes: SearchAttributes) -> SearchAttributes {
        var typed = attributes
        for (name, payload) in attributes.indexedFields where payload.metadata["type"] == nil {
            guard let type = self[name]?.type else { continue }
            typed.indexedFields[name]?.metadata["type"] = Array(type.name.utf8)
        }
        return typed
    }
}

extension Payload {
    /// Whether it is null, or an empty list: an attribute without a value.
    var isNoValue: Bool {
        if metadata["encoding"] == Array("binary/null".utf8) { return true }
        return data.count <= 20 && (try? JSONValue.parse(data)).map { $0 == .null || $0 == .array([]) } ?? false
    }
}
