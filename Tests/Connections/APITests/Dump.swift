import Foundation
import SagamoreProtobuf

/// Writes a message as text that names every field and holds every value, as `exchange.py` does.
///
/// It uses only the properties of the Swift value, never bytes or generated tables, so it shows what a program would
/// read.
struct Dumper {
    /// `message name/field` of every field that had a value other than its default.
    var covered: Set<String> = []
    /// Whether a message had unknown fields.
    var hasUnknownFields = false

    mutating func dump(_ message: any ProtobufMessage) throws -> String {
        let name = type(of: message).protobufMessageName
        var parts: [String] = []
        for child in Mirror(reflecting: message).children {
            guard let label = child.label else { continue }
            if label == "unknownFields" {
                if !message.unknownFields.isEmpty { self.hasUnknownFields = true }
                continue
            }
            guard let (field, value) = Self.fieldAndValue(label, child.value) else { continue }
            let normalized = field.replacing("_", with: "").lowercased()
            let isOptional = Mirror(reflecting: child.value).displayStyle == .optional
            let (text, isDefault) = try self.dump(value: value)
            if isOptional || !isDefault { self.covered.insert("\(name)/\(normalized)") }
            parts.append("\(normalized)=\(text)")
        }
        return "{" + parts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: ";") + "}"
    }

    /// Looks into optionals and oneofs. Nil when nothing is set.
    private static func fieldAndValue(_ label: String, _ value: Any) -> (String, Any)? {
        var (label, value) = (label, value)
        if Mirror(reflecting: value).displayStyle == .optional {
            guard let some = Mirror(reflecting: value).children.first?.value else { return nil }
            value = some
        }
        if String(describing: type(of: value)).hasPrefix("OneOf_") {
            guard let member = Mirror(reflecting: value).children.first, let name = member.label else { return nil }
            (label, value) = (name, member.value)
        }
        return (label, value)
    }

    private mutating func dump(value: Any) throws -> (text: String, isDefault: Bool) {
        switch value {
        case let value as any ProtobufMessage: return (try self.dump(value), false)
        case let value as any DecodableRawMessage: return (try self.dump(value.decodedMessage()), false)
        case let value as any Box: return (try self.dump(value.boxedMessage()), false)
        case let value as any StringMap: return try self.dump(entries: value.anyEntries())
        case let value as any ProtobufEnum: return ("e\(value)", value.rawValue == 0)
        case let value as String: return ("s" + hex(Array(value.utf8)), value.isEmpty)
        // An empty array of anything can be cast to [UInt8].
        case let bytes as [UInt8] where type(of: value) == [UInt8].self: return ("b" + hex(bytes), bytes.isEmpty)
        case let value as Bool: return (value ? "true" : "false", !value)
        // Python's floats do not keep the bits of every NaN.
        case let value as Double where value.isNaN: return ("nan", false)
        case let value as Float where value.isNaN: return ("nan", false)
        case let value as Double: return ("d" + String(value.bitPattern, radix: 16), value.bitPattern == 0)
        case let value as Float: return ("f" + String(value.bitPattern, radix: 16), value.bitPattern == 0)
        case let value as any FixedWidthInteger: return ("\(value)", "\(value)" == "0")
        default: break
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .collection:
            let elements = try mirror.children.map { try self.dump(value: $0.value).text }
            return ("[" + elements.joined(separator: ",") + "]", elements.isEmpty)
        case .dictionary:
            return try self.dump(
                entries: mirror.children.map { entry in
                    let pair = Mirror(reflecting: entry.value).children.map(\.value)
                    return (pair[0], pair[1])
                }
            )
        default:
            throw ExchangeError("a property of an unexpected type: \(type(of: value))")
        }
    }

    private mutating func dump(entries: [(key: Any, value: Any)]) throws -> (text: String, isDefault: Bool) {
        let texts = try entries.map { try self.dump(value: $0.key).text + ":" + self.dump(value: $0.value).text }
        let sorted = texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return ("<" + sorted.joined(separator: ",") + ">", entries.isEmpty)
    }
}

private protocol DecodableRawMessage {
    func decodedMessage() throws -> any ProtobufMessage
}

extension RawMessage: DecodableRawMessage {
    fileprivate func decodedMessage() throws -> any ProtobufMessage { try self.decoded() }
}

private protocol Box {
    func boxedMessage() throws -> any ProtobufMessage
}

extension ProtobufBox: Box {
    fileprivate func boxedMessage() throws -> any ProtobufMessage {
        guard let message = self.value as? any ProtobufMessage else { throw ExchangeError("a box without a message") }
        return message
    }
}

private protocol StringMap {
    func anyEntries() -> [(key: Any, value: Any)]
}

extension ProtobufMap: StringMap {
    fileprivate func anyEntries() -> [(key: Any, value: Any)] { self.map { ($0.key, $0.value) } }
}

struct ExchangeError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

func bytes(hex: Substring.UTF8View) throws -> [UInt8] {
    func digit(_ character: UInt8) throws -> UInt8 {
        switch character {
        case 0x30...0x39: return character - 0x30
        case 0x61...0x66: return character - 0x57
        default: throw ExchangeError("no hexadecimal digit")
        }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(hex.count / 2)
    var high: UInt8?
    for character in hex {
        if let first = high {
            bytes.append(try first << 4 | digit(character))
            high = nil
        } else {
            high = try digit(character)
        }
    }
    return bytes
}
