internal import SagamoreJSONText
internal import SagamoreServices

/// Smaller forms of an event that is too large for its topic.
enum OversizeEvent {
    /// The maximum depth of an event: the event itself, an array of several results, and a payload.
    private static let depthLimit = PayloadJSON.depthLimit + 2
    /// The length of texts in the smallest form, in bytes.
    private static let textLimit = 200
    /// The maximum length of the note behind a shortened text, which is not shortened again.
    private static let noteLimit = 40

    /// The next smaller form; nil when there is none, or the record is not an event.
    static func smaller(_ record: OutboxRecord) -> OutboxRecord? {
        guard let value = record.value, let form = smaller(value) else { return nil }
        return OutboxRecord(topic: record.topic, key: record.key, value: form, headers: record.headers)
    }

    /// The next smaller form; nil when there is none, or the record is not an event.
    static func smaller(_ value: [UInt8]) -> [UInt8]? { withoutResult(value) ?? shortened(value) }

    /// The event with `"result_omitted": true` in place of `result`; nil when it is not an event with a result.
    static func withoutResult(_ value: [UInt8]) -> [UInt8]? {
        guard let members = members(of: value), members.contains(where: { $0.key == "result" }) else { return nil }
        var json = JSONWriter(capacity: 512)
        json.beginObject()
        for member in members {
            if member.key == "result" {
                json.key("result_omitted")
                json.bool(true)
            } else {
                json.key(member.key)
                json.raw(Array(value[member.range]))
            }
        }
        json.endObject()
        return json.bytes
    }

    /// The event without causes and compensations, and with the texts of its failure or reason shortened; nil when that
    /// is not smaller, or the value is not an event.
    static func shortened(_ value: [UInt8]) -> [UInt8]? {
        guard let members = members(of: value) else { return nil }
        var json = JSONWriter(capacity: 1_024)
        json.beginObject()
        for member in members where member.key != "compensations" {
            json.key(member.key)
            let bytes = Array(value[member.range])
            if member.key == "failure" || member.key == "reason" {
                appendShortened(textsOf: bytes, to: &json)
            } else {
                json.raw(bytes)
            }
        }
        json.endObject()
        return json.bytes.count < value.count ? json.bytes : nil
    }

    private static func appendShortened(textsOf object: [UInt8], to json: inout JSONWriter) {
        json.beginObject()
        for member in (try? JSONScanner.members(of: object, depthLimit: depthLimit)) ?? [] {
            guard member.kind == .string, let text = try? JSONScanner.string(object, member.range) else { continue }
            json.key(member.key)
            json.string(text.utf8.count > textLimit + noteLimit ? FailureJSON.shortened(text, textLimit) : text)
        }
        json.endObject()
    }

    /// The members of an event; nil when the value is not an event.
    private static func members(of value: [UInt8]) -> [JSONMember]? {
        guard let members = try? JSONScanner.members(of: value, depthLimit: depthLimit),
            ["command_id", "status", "sequence"].allSatisfy({ name in members.contains { $0.key == name } })
        else { return nil }
        return members
    }
}
