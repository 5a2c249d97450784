internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Payloads as JSON. Payloads that are JSON are copied unchanged.
enum PayloadJSON {
    /// The maximum nesting depth of a JSON payload; deeper ones are encoded as Base64.
    static let depthLimit = 500

    /// Writes a result: `null` for no payload, the value of a single one, an array for several.
    static func append(_ payloads: RawMessage<Payloads>?, to json: inout JSONWriter) {
        var values: [[UInt8]] = []
        for payload in read(payloads?.bytes ?? []) { values.append(value(of: payload)) }
        switch values.count {
        case 0: json.null()
        case 1: json.raw(values[0])
        default:
            json.beginArray()
            for value in values { json.raw(value) }
            json.endArray()
        }
    }

    /// The first payload's value if it is a JSON array.
    static func firstArray(of payloads: [UInt8]) -> [UInt8]? {
        guard let first = read(payloads).first else { return nil }
        return array(encoding: first.encoding, data: first.data)
    }

    static func array(encoding: [UInt8], data: [UInt8]) -> [UInt8]? {
        guard isJSON(encoding), (try? JSONScanner.validate(data, depthLimit: depthLimit)) == .array else { return nil }
        return data
    }

    private struct Fields {
        var encoding: [UInt8] = []
        var data: [UInt8] = []
    }

    private static func value(of payload: Fields) -> [UInt8] {
        if isJSON(payload.encoding), (try? JSONScanner.validate(payload.data, depthLimit: depthLimit)) != nil {
            return payload.data
        }
        if payload.encoding.elementsEqual("binary/null".utf8) { return Array("null".utf8) }
        var json = JSONWriter(capacity: payload.data.count / 3 * 4 + 64)
        json.beginObject()
        json.key("encoding")
        json.string(String(decoding: payload.encoding, as: UTF8.self))
        json.key("data")
        json.string(Base64.encode(payload.data))
        json.endObject()
        return json.bytes
    }

    private static func isJSON(_ encoding: [UInt8]) -> Bool {
        encoding.elementsEqual("json/plain".utf8) || encoding.elementsEqual("json/protobuf".utf8)
    }

    /// The encoding and data of each payload; other metadata is skipped. The bytes were validated when they were
    /// received; malformed ones end the list.
    private static func read(_ payloads: [UInt8]) -> [Fields] {
        var all: [Fields] = []
        try? ProtobufReader.read(payloads) { (reader) throws(ProtobufError) in
            while let tag = try reader.nextTag() {
                guard tag == 10 else {
                    try reader.skip()
                    continue
                }
                let scope = try reader.enter()
                var fields = Fields()
                while let tag = try reader.nextTag() {
                    switch tag {
                    case 10:
                        let entry = try reader.enter()
                        var key = ""
                        var value: [UInt8] = []
                        while let tag = try reader.nextTag() {
                            switch tag {
                            case 10: key = try reader.string()
                            case 18: value = try reader.bytes()
                            default: try reader.skip()
                            }
                        }
                        reader.leave(entry)
                        if key == "encoding" { fields.encoding = value }
                    case 18: fields.data = try reader.bytes()
                    default: try reader.skip()
                    }
                }
                reader.leave(scope)
                all.append(fields)
            }
        }
        return all
    }
}

/// Base64 with padding, RFC 4648.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0) }
            for position in 0..<4 {
                let digit = Int(group >> UInt32(18 - 6 * position)) & 63
                text.append(position <= count ? alphabet[digit] : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }
}
