internal import Foundation
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Converts a message to protobuf's JSON form by its schema: names in camel case, 64-bit numbers as strings, bytes in
/// base 64, enums by name, times and durations as text. Fields with default values are omitted.
enum ProtobufJSON {
    /// - Throws: `ProtobufError` when an undecoded message inside is invalid.
    static func value(of message: some ProtobufMessage) throws(ProtobufError) -> JSONValue {
        try value(of: message.serializedBytes(), type(of: message))
    }

    private static func value(of bytes: [UInt8], _ type: any ProtobufMessage.Type) throws(ProtobufError) -> JSONValue {
        if type == ProtobufTimestamp.self {
            let time = try ProtobufTimestamp(serializedBytes: bytes)
            let precision: RFC3339.Precision =
                time.nanos == 0
                ? .seconds
                : time.nanos % 1_000_000 == 0 ? .milliseconds : time.nanos % 1_000 == 0 ? .microseconds : .nanoseconds
            return .string(RFC3339.string(secondsSince1970: time.seconds, nanos: time.nanos, precision: precision))
        }
        if type == ProtobufDuration.self { return .string(text(of: try ProtobufDuration(serializedBytes: bytes))) }
        if type == ProtobufFieldMask.self {
            let paths = try ProtobufFieldMask(serializedBytes: bytes).paths
            return .string(paths.map(camelCase).joined(separator: ","))
        }
        return try object(bytes, type.protobufFields)
    }

    private static func object(_ bytes: [UInt8], _ fields: ProtobufFields) throws(ProtobufError) -> JSONValue {
        var object = JSONObject()
        try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            while try reader.nextTag() != nil {
                guard let field = fields[reader.fieldNumber] else {
                    try reader.skip()
                    continue
                }
                try read(field, &reader, into: &object)
            }
        }
        return .object(object)
    }

    private static func read(
        _ field: ProtobufFields.Field,
        _ reader: inout ProtobufReader,
        into object: inout JSONObject
    ) throws(ProtobufError) {
        let name = camelCase(field.name)
        if let entry = field.mapEntry {
            let (key, value) = try pair(try reader.bytes(), entry)
            var members = object[name]?.object ?? JSONObject()
            members[key] = value
            object[name] = .object(members)
        } else if field.isRepeated {
            var elements = object[name]?.array ?? []
            if reader.wireType == .lengthDelimited, field.kind.wireType != .lengthDelimited {
                try ProtobufReader.read(try reader.bytes()) { (packed) throws(ProtobufError) in
                    while !packed.isAtEnd { elements.append(try scalar(field, &packed)) }
                }
            } else {
                elements.append(try element(field, &reader))
            }
            object[name] = .array(elements)
        } else {
            object[name] = try element(field, &reader)
        }
    }

    private static func element(
        _ field: ProtobufFields.Field,
        _ reader: inout ProtobufReader
    ) throws(ProtobufError) -> JSONValue {
        guard let message = field.message else { return try scalar(field, &reader) }
        return try value(of: try reader.bytes(), message)
    }

    private static func pair(_ bytes: [UInt8], _ entry: ProtobufFields) throws(ProtobufError) -> (String, JSONValue) {
        var members = JSONObject()
        try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in
            while try reader.nextTag() != nil {
                guard let field = entry[reader.fieldNumber] else {
                    try reader.skip()
                    continue
                }
                try read(field, &reader, into: &members)
            }
        }
        let value = members["value"] ?? entry[2].map(missingValue) ?? .null
        switch members["key"] {
        case .string(let key): return (key, value)
        case .number(let key): return (key.text, value)
        case .bool(let key): return (key ? "true" : "false", value)
        default: return (entry[1]?.kind == .string ? "" : "0", value)
        }
    }

    /// The default of a map entry without a value.
    private static func missingValue(_ field: ProtobufFields.Field) -> JSONValue {
        switch field.kind {
        case .message: .object(JSONObject())
        case .string, .bytes: ""
        case .bool: false
        case .int64, .uint64, .sint64, .fixed64, .sfixed64: "0"
        default: 0
        }
    }

    private static func scalar(
        _ field: ProtobufFields.Field,
        _ reader: inout ProtobufReader
    ) throws(ProtobufError) -> JSONValue {
        switch field.kind {
        case .int32: return .number(JSONNumber(try reader.int32()))
        case .uint32: return .number(JSONNumber(try reader.uint32()))
        case .sint32: return .number(JSONNumber(try reader.sint32()))
        case .fixed32: return .number(JSONNumber(try reader.fixed32()))
        case .sfixed32: return .number(JSONNumber(try reader.sfixed32()))
        case .int64: return .string(String(try reader.int64()))
        case .uint64: return .string(String(try reader.uint64()))
        case .sint64: return .string(String(try reader.sint64()))
        case .fixed64: return .string(String(try reader.fixed64()))
        case .sfixed64: return .string(String(try reader.sfixed64()))
        case .bool: return .bool(try reader.bool())
        case .float: return number(Double(try reader.float()))
        case .double: return number(try reader.double())
        case .string: return .string(try reader.string())
        case .bytes: return .string(Data(try reader.bytes()).base64EncodedString())
        case .enumeration:
            let number = try reader.int32()
            return field.enumeration?.protobufNames.name(of: number).map { .string($0) } ?? .number(JSONNumber(number))
        case .message: return try object(try reader.bytes(), ProtobufFields(""))
        }
    }

    private static func number(_ value: Double) -> JSONValue {
        if let number = JSONNumber(value) { return .number(number) }
        return .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }

    private static func text(of duration: ProtobufDuration) -> String {
        guard duration.nanos != 0 else { return "\(duration.seconds)s" }
        var digits = String(duration.nanos.magnitude)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("000") { digits.removeLast(3) }
        let sign = duration.seconds < 0 || duration.nanos < 0 ? "-" : ""
        return "\(sign)\(duration.seconds.magnitude).\(digits)s"
    }

    /// Converts `workflow_id` to `workflowId`.
    private static func camelCase(_ name: String) -> String {
        var result = ""
        var isUpper = false
        for character in name {
            if character == "_" {
                isUpper = true
            } else {
                result += isUpper ? character.uppercased() : String(character)
                isUpper = false
            }
        }
        return result
    }
}
