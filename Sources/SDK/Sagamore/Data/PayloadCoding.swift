internal import FoundationEssentials
package import SagamoreAPI
internal import SagamoreJSONText
package import SagamoreProtobuf

/// Encodes and decodes values in the form that all SDKs of the contract use: `binary/null` for nothing,
/// `binary/plain` for bytes, `json/plain` for everything else.
package enum PayloadCoding {
    /// Sorts keys: the order in a dictionary differs between processes, and replay must produce the same bytes.
    private static let jsonEncoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }()

    private static let jsonDecoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }()

    // MARK: Writing

    /// Encodes a value as the arguments of a call. ``Nothing`` becomes no argument.
    package static func arguments<Value: Encodable>(_ value: Value) throws(DataError) -> RawMessage<Payloads>? {
        value is Nothing ? nil : try list(value)
    }

    /// Encodes a value as a result or a detail. ``Nothing`` becomes null.
    package static func list<Value: Encodable>(_ value: Value) throws(DataError) -> RawMessage<Payloads> {
        var writer = ProtobufWriter()
        try append(value, to: &writer)
        return RawMessage(uncheckedBytes: writer.bytes())
    }

    /// Writes a value as a field `payloads` of `Payloads`, in front of what has been written.
    private static func append<Value: Encodable>(_ value: Value, to writer: inout ProtobufWriter) throws(DataError) {
        let end = writer.count
        let encoding: String
        if value is Nothing || (value as? any OptionalValue)?.isNil == true {
            encoding = "binary/null"
        } else if isBytes(Value.self), let bytes = value as? [UInt8] {
            writer.bytes(2, omittingDefault: bytes)
            encoding = "binary/plain"
        } else if let data = value as? Data {
            writer.bytes(2, omittingDefault: [UInt8](data))
            encoding = "binary/plain"
        } else {
            writer.bytes(2, omittingDefault: try json(value))
            encoding = "json/plain"
        }
        let entry = writer.count
        writer.string(2, omittingDefault: encoding)
        writer.string(1, omittingDefault: "encoding")
        writer.lengthDelimited(1, since: entry)
        writer.lengthDelimited(1, since: end)
    }

    /// Whether a type is plain bytes. A cast cannot tell: an empty array casts to any element type.
    private static func isBytes<Value>(_ type: Value.Type) -> Bool {
        type == [UInt8].self || type == [UInt8]?.self
    }

    private static func json<Value: Encodable>(_ value: Value) throws(DataError) -> [UInt8] {
        // Ids and counters are scalars, for which a JSONEncoder takes twenty times as long.
        var writer = JSONWriter(capacity: 64)
        switch value {
        case let text as String: writer.string(text)
        case let number as Int: writer.int(number)
        case let flag as Bool: writer.bool(flag)
        default:
            do {
                return [UInt8](try jsonEncoder.encode(value))
            } catch {
                throw DataError(.notEncodable, "cannot encode \(Value.self) as JSON", cause: error)
            }
        }
        return writer.bytes
    }

    // MARK: Reading

    /// Decodes the only argument of a call, or a result. No payload counts as null.
    package static func first<Value: Decodable>(
        _ payloads: RawMessage<Payloads>?,
        as type: Value.Type = Value.self
    ) throws(DataError) -> Value {
        if Value.self == Nothing.self, let nothing = Nothing() as? Value { return nothing }
        return try decode(try decoded(payloads).payloads.first ?? null, as: type)
    }

    /// The payloads of a list.
    static func decoded(_ payloads: RawMessage<Payloads>?) throws(DataError) -> Payloads {
        guard let payloads else { return Payloads() }
        do {
            return try payloads.decoded()
        } catch {
            throw DataError(.damaged, "the payloads are not valid protobuf", cause: error)
        }
    }

    /// One value.
    static func decode<Value: Decodable>(_ payload: Payload, as type: Value.Type) throws(DataError) -> Value {
        let encoding = payload.metadata["encoding"] ?? []
        if encoding.elementsEqual("json/plain".utf8) || encoding.elementsEqual("json/protobuf".utf8) {
            return try fromJSON(payload.data, as: type)
        }
        if encoding.elementsEqual("binary/null".utf8) {
            if let type = type as? any OptionalValue.Type, let value = type.nilValue as? Value { return value }
            if let nothing = Nothing() as? Value { return nothing }
            throw DataError(.missing, "expected \(Value.self), found no value")
        }
        if encoding.elementsEqual("binary/plain".utf8) {
            if isBytes(Value.self), let bytes = payload.data as? Value { return bytes }
            if let data = Data(payload.data) as? Value { return data }
            throw DataError(.otherType, "expected \(Value.self), found plain bytes")
        }
        let name = String(decoding: encoding, as: UTF8.self)
        throw DataError(.unknownEncoding, "a payload has the unsupported encoding '\(name)'")
    }

    private static func fromJSON<Value: Decodable>(_ bytes: [UInt8], as type: Value.Type) throws(DataError) -> Value {
        do {
            return try jsonDecoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw DataError(.otherType, "expected \(Value.self): \(Self.reason(error))", cause: error)
        } catch {
            throw DataError(.otherType, "expected \(Value.self), found other JSON", cause: error)
        }
    }

    /// Describes what is wrong and where, without the value.
    private static func reason(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the value" : "'" + path.map(\.stringValue).joined(separator: ".") + "'"
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .valueNotFound(let type, let context): "\(place(context.codingPath)) is null, not \(type)"
        case .typeMismatch(let type, let context): "\(place(context.codingPath)) is not \(type)"
        case .dataCorrupted(let context): "\(place(context.codingPath)) is invalid or out of range"
        @unknown default: "it cannot be decoded"
        }
    }

    private static let null: Payload = {
        var payload = Payload()
        payload.metadata = ["encoding": Array("binary/null".utf8)]
        return payload
    }()
}

/// Lets generic code detect that a type is an optional.
private protocol OptionalValue {
    static var nilValue: Self { get }
    var isNil: Bool { get }
}

extension Optional: OptionalValue {
    fileprivate static var nilValue: Self { nil }
    fileprivate var isNil: Bool { self == nil }
}
