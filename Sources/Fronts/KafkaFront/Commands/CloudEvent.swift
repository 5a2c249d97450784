internal import SagamoreJSONText
internal import SagamoreKafkaClient

/// The attributes of a CloudEvent that carries a command.
struct CloudEvent {
    /// The command's id; nil where the event has none.
    var id: String?
    /// The event's type, which names the command.
    var type: String?
    /// The range of the command's own object in the record's value.
    var data: Range<Int>
    /// A structured event without data.
    var hasNoData = false
    /// The event's data is not a JSON object.
    var hasForeignData = false
    /// An attribute of a structured event that is given more than once. No rule says which one counts.
    var duplicate: String?
    var traceParent: [UInt8]?
    var traceState: [UInt8]?

    /// The command that `type` names: the type itself, or the part after its last dot.
    var command: CommandName? {
        guard let type else { return nil }
        return CommandName(rawValue: type)
            ?? type.split(separator: ".").last.flatMap { CommandName(rawValue: String($0)) }
    }

    /// Recognizes a CloudEvent by its headers. Nil for a plain record.
    ///
    /// - Throws: when it is a structured event whose value is not a JSON object.
    static func envelope(of value: [UInt8], headers: [KafkaHeader]) throws(Unreadable) -> CloudEvent? {
        guard !headers.isEmpty else { return nil }
        var event = CloudEvent(data: 0..<value.count)
        var isBinary = false
        for header in headers {
            guard let bytes = header.value else { continue }
            switch header.name {
            case "ce_id":
                event.id = text(bytes)
                isBinary = true
            case "ce_type": event.type = text(bytes)
            case "ce_specversion": isBinary = true
            case "ce_traceparent": event.traceParent = bytes
            case "ce_tracestate": event.traceState = bytes
            case "content-type", "Content-Type":
                if isStructured(bytes) { return try structured(value) }
            default: break
            }
        }
        return isBinary ? event : nil
    }

    /// Bytes that are not UTF-8 are no usable id.
    private static func text(_ bytes: [UInt8]) -> String { String(validating: bytes, as: UTF8.self) ?? "" }

    private static func isStructured(_ contentType: [UInt8]) -> Bool {
        let expected = Array("application/cloudevents+json".utf8)
        guard contentType.count >= expected.count else { return false }
        for (byte, wanted) in zip(contentType, expected) where byte | (isLetter(byte) ? 0x20 : 0) != wanted {
            return false
        }
        guard contentType.count > expected.count else { return true }
        let next = contentType[expected.count]
        return next == UInt8(ascii: ";") || next == UInt8(ascii: " ")
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    private static func structured(_ value: [UInt8]) throws(Unreadable) -> CloudEvent {
        var event = CloudEvent(id: "", data: 0..<0, hasNoData: true)
        let members: [JSONMember]
        do throws(JSONError) { members = try JSONScanner.members(of: value) } catch { throw Unreadable(error) }
        for member in members {
            if member.isDuplicate, ["type", "data", "data_base64"].contains(member.key) {
                event.duplicate = event.duplicate ?? member.key
                continue
            }
            func text() -> String? { try? JSONScanner.string(value, member.range) }
            switch member.key {
            case "id": event.id = member.isDuplicate ? "" : text() ?? ""
            case "type": event.type = text()
            case "traceparent": event.traceParent = text().map { Array($0.utf8) }
            case "tracestate": event.traceState = text().map { Array($0.utf8) }
            case "data" where member.kind == .object:
                event.data = member.range
                event.hasNoData = false
            case "data" where member.kind != .null: event.hasForeignData = true
            case "data_base64" where member.kind != .null: event.hasForeignData = true
            default: break
            }
        }
        return event
    }
}
