internal import FoundationEssentials
internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Encodes a message from protobuf's JSON form by its schema. Also takes the names of enums without their prefix, as
/// older tools write them (`WorkflowExecutionStarted`), and payloads that are written as the JSON that they contain.
/// Fields that the schema does not have are left out: newer servers write more.
struct ProtobufJSONReader {
    /// Where the value stands, such as `events[3].eventType`.
    private var path: [String] = []

    /// - Throws: ``WorkflowHistory/FormatError``.
    static func bytes(
        of value: JSONValue,
        as type: any ProtobufMessage.Type
    ) throws(WorkflowHistory.FormatError) -> [UInt8] {
        var reader = ProtobufJSONReader()
        return try reader.message(value, type)
    }

    private func error(_ problem: String) -> WorkflowHistory.FormatError {
        let place = path.reduce("") { $1.hasPrefix("[") ? $0 + $1 : $0.isEmpty ? $1 : $0 + "." + $1 }
        return WorkflowHistory.FormatError(place: place, problem: problem)
    }

    private mutating func within<Value>(
        _ step: String,
        _ body: (inout ProtobufJSONReader) throws(WorkflowHistory.FormatError) -> Value
    ) throws(WorkflowHistory.FormatError) -> Value {
        path.append(step)
        let value = try body(&self)
        path.removeLast()
        return value
    }

    // MARK: Messages

    private mutating func message(
        _ value: JSONValue,
        _ type: any ProtobufMessage.Type
    ) throws(WorkflowHistory.FormatError) -> [UInt8] {
        if type == ProtobufTimestamp.self {
            guard let text = value.string, let time = RFC3339.parse(text) else { throw error("is no time (RFC 3339)") }
            return ProtobufTimestamp(seconds: time.secondsSince1970, nanos: time.nanos).serializedBytes()
        }
        if type == ProtobufDuration.self {
            guard let text = value.string, let duration = Self.duration(text) else { throw error("is no duration") }
            return duration.serializedBytes()
        }
        if type == ProtobufFieldMask.self {
            guard let text = value.string else { throw error("is no text with names of fields") }
            var mask = ProtobufFieldMask()
            mask.paths = text.split(separator: ",").map { Self.snakeCase($0) }
            return mask.serializedBytes()
        }
        if type == Payloads.self, let values = value.array { return try shorthand(values).serializedBytes() }
        if type == Payload.self, !Self.isPayload(value) { return Self.payload(value).serializedBytes() }
        guard let object = value.object else { throw error("is no object") }
        return try fields(object, type.protobufFields)
    }

    private mutating func fields(
        _ object: JSONObject,
        _ schema: ProtobufFields
    ) throws(WorkflowHistory.FormatError) -> [UInt8] {
        var known: [String: ProtobufFields.Field] = [:]
        for field in schema.fields {
            known[field.name] = field
            known[Self.camelCase(field.name)] = field
        }
        var bytes: [UInt8] = []
        for member in object.members where member.value != .null {
            guard let field = known[member.key] else { continue }
            bytes += try within(member.key) { (reader) throws(WorkflowHistory.FormatError) in
                try reader.field(field, member.value)
            }
        }
        return bytes
    }

    private mutating func field(
        _ field: ProtobufFields.Field,
        _ value: JSONValue
    ) throws(WorkflowHistory.FormatError) -> [UInt8] {
        var bytes: [UInt8] = []
        if let entry = field.mapEntry {
            guard let object = value.object else { throw error("is no object") }
            for member in object.members {
                bytes += try within(member.key) { (reader) throws(WorkflowHistory.FormatError) in
                    guard let key = entry[1], let content = entry[2] else { return [] }
                    let pair = try reader.one(key, .string(member.key)) + reader.one(content, member.value)
                    return Self.delimited(field.number, pair)
                }
            }
        } else if field.isRepeated {
            guard let elements = value.array else { throw error("is no list") }
            for (index, element) in elements.enumerated() {
                bytes += try within("[\(index)]") { (reader) throws(WorkflowHistory.FormatError) in
                    try reader.one(field, element)
                }
            }
        } else {
            bytes = try one(field, value)
        }
        return bytes
    }

    // MARK: Values

    private mutating func one(
        _ field: ProtobufFields.Field,
        _ value: JSONValue
    ) throws(WorkflowHistory.FormatError) -> [UInt8] {
        if let type = field.message { return Self.delimited(field.number, try message(value, type)) }
        var writer = ProtobufWriter(capacity: 64)
        let number = field.number
        switch field.kind {
        case .int32: writer.int32(number, try integer(value))
        case .int64: writer.int64(number, try integer(value))
        case .uint32: writer.uint32(number, try integer(value))
        case .uint64: writer.uint64(number, try integer(value))
        case .sint32: writer.sint32(number, try integer(value))
        case .sint64: writer.sint64(number, try integer(value))
        case .fixed32: writer.fixed32(number, try integer(value))
        case .fixed64: writer.fixed64(number, try integer(value))
        case .sfixed32: writer.sfixed32(number, try integer(value))
        case .sfixed64: writer.sfixed64(number, try integer(value))
        case .enumeration: writer.int32(number, try enumeration(value, field.enumeration))
        case .float: writer.float(number, Float(try floatingPoint(value)))
        case .double: writer.double(number, try floatingPoint(value))
        case .bool:
            guard let value = value.bool ?? value.string.flatMap(Bool.init) else { throw error("is not true or false") }
            writer.bool(number, value)
        case .string:
            guard let text = value.string else { throw error("is no text") }
            writer.string(number, text)
        case .bytes:
            guard let bytes = value.string.flatMap(Self.base64) else { throw error("is not base 64") }
            writer.bytes(number, bytes)
        case .message: return Self.delimited(number, [])
        }
        return writer.bytes()
    }

    private func integer<Integer: FixedWidthInteger>(
        _ value: JSONValue
    ) throws(WorkflowHistory.FormatError) -> Integer {
        let text: String? =
            switch value {
            case .number(let number): number.text
            case .string(let text): text
            default: nil
            }
        guard let integer = text.flatMap({ Integer($0) }) else { throw error("is no integer of its type") }
        return integer
    }

    private func floatingPoint(_ value: JSONValue) throws(WorkflowHistory.FormatError) -> Double {
        guard let number = value.double ?? value.string.flatMap(Double.init) else { throw error("is no number") }
        return number
    }

    private func enumeration(
        _ value: JSONValue,
        _ type: (any ProtobufEnum.Type)?
    ) throws(WorkflowHistory.FormatError) -> Int32 {
        guard let name = value.string else { return try integer(value) }
        guard let names = type?.protobufNames else { throw error("is no value of an enumeration") }
        if let number = names.number(of: name) { return number }
        let prefix = Self.commonPrefix(names.entries.map(\.name))
        guard let number = names.number(of: prefix + Self.upperSnakeCase(name)) else {
            throw error("has the value '\(name)', which this version does not know")
        }
        return number
    }

    // MARK: Payloads

    /// Payloads that are written as the values that they contain.
    private func shorthand(_ values: [JSONValue]) -> Payloads {
        var payloads = Payloads()
        payloads.payloads = values.map { Self.payload($0) }
        return payloads
    }

    private static func payload(_ value: JSONValue) -> Payload {
        var payload = Payload()
        if value == .null {
            payload.metadata = ["encoding": Array("binary/null".utf8)]
        } else {
            payload.metadata = ["encoding": Array("json/plain".utf8)]
            payload.data = Array(value.text().utf8)
        }
        return payload
    }

    private static func isPayload(_ value: JSONValue) -> Bool {
        guard let object = value.object else { return false }
        return object["metadata"]?.object?["encoding"] != nil || object["externalPayloads"] != nil
            || object.members.isEmpty
    }

    // MARK: Text

    private static func delimited(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
        var writer = ProtobufWriter(capacity: bytes.count + 16)
        writer.lengthDelimited(number, bytes)
        return writer.bytes()
    }

    private static func base64(_ text: String) -> [UInt8]? {
        var text = text.replacing("-", with: "+").replacing("_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        return Data(base64Encoded: text).map { Array($0) }
    }

    /// `1.5s`; nil for another text.
    private static func duration(_ text: String) -> ProtobufDuration? {
        guard text.hasSuffix("s") else { return nil }
        let isNegative = text.hasPrefix("-")
        let parts = text.dropLast().drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let seconds = Int64(parts[0]) else { return nil }
        var nanos: Int32 = 0
        if parts.count == 2 {
            guard (1...9).contains(parts[1].count), let digits = Int32(parts[1]), digits >= 0 else { return nil }
            nanos = (parts[1].count..<9).reduce(digits) { value, _ in value * 10 }
        }
        return ProtobufDuration(seconds: isNegative ? -seconds : seconds, nanos: isNegative ? -nanos : nanos)
    }

    private static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        return words.dropFirst().reduce(String(words[0])) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    private static func snakeCase(_ name: some StringProtocol) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }

    private static func upperSnakeCase(_ name: String) -> String {
        let text = snakeCase(name).uppercased()
        return text.hasPrefix("_") ? String(text.dropFirst()) : text
    }

    /// What all names of an enumeration begin with, up to an underscore: `EVENT_TYPE_`.
    private static func commonPrefix(_ names: [String]) -> String {
        guard var prefix = names.first else { return "" }
        for name in names { while !name.hasPrefix(prefix) { prefix.removeLast() } }
        guard let end = prefix.lastIndex(of: "_") else { return "" }
        return String(prefix[...end])
    }
}
