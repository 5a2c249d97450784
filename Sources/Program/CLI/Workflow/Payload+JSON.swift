internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// JSON in payloads, as SDKs of all languages encode it.
extension Payload {
    /// A payload of a JSON text, which is not checked.
    init(json: [UInt8]) {
        self.init()
        metadata["encoding"] = Array("json/plain".utf8)
        data = json
    }

    /// A payload of a JSON string.
    init(text: String) {
        self.init(json: JSONValue.string(text).serialize())
    }

    private var encoding: String { String(decoding: metadata["encoding"] ?? [], as: UTF8.self) }

    /// The value of a payload with JSON or with nothing; nil for another encoding.
    var json: JSONValue? {
        if encoding == "binary/null" { return JSONValue.null }
        guard encoding.hasPrefix("json/") else { return nil }
        return try? JSONValue.parse(data)
    }

    /// JSON as it is, and another encoding by its name and size.
    var text: String {
        if let json { return json.text() }
        return "(\(encoding.isEmpty ? "unknown encoding" : encoding), \(data.count) bytes)"
    }

    /// JSON as it is, and another encoding as protobuf's JSON form of the payload.
    func value() throws(ProtobufError) -> JSONValue {
        if let json { return json }
        return try ProtobufJSON.value(of: self)
    }
}

extension Payloads {
    /// The values of all payloads.
    func values() throws(ProtobufError) -> [JSONValue] {
        var values: [JSONValue] = []
        for payload in payloads { values.append(try payload.value()) }
        return values
    }

    /// All payloads in one line.
    var text: String { payloads.map(\.text).joined(separator: ", ") }
}

extension ProtobufMap where Value == Payload {
    /// The entries of a memo or of search attributes in one line, by name.
    var text: String {
        let entries = sorted { $0.key < $1.key }
        return entries.map { "\($0.key)=\($0.value.text)" }.joined(separator: ", ")
    }
}
