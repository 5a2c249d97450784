internal import Foundation
internal import SagamoreJSONText
internal import SagamoreKafkaClient

/// A record that is not an event: a dead letter, or something that does not belong on the topic.
struct OtherRecord {
    let record: KafkaRecord

    private func header(_ name: String) -> String? {
        record.headers.last { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a record is a dead letter, by its headers.
    static func isDeadLetter(_ record: KafkaRecord) -> Bool {
        record.headers.contains { $0.name == "error.code" }
    }

    /// `dead letter`, or nothing.
    var status: String { Self.isDeadLetter(record) ? "dead letter" : "" }

    /// Its source, the reason, and its beginning.
    var detail: String {
        guard Self.isDeadLetter(record) else { return "no event: \(beginning)" }
        let place = ["source.topic", "source.partition", "source.offset"].compactMap(header).joined(separator: "/")
        let reason = [header("error.code"), header("error.message")].compactMap { $0 }.joined(separator: ": ")
        return "\(reason) (\(place)): \(beginning)"
    }

    private var beginning: String {
        let bytes = record.value ?? []
        let text = String(decoding: bytes.prefix(200), as: UTF8.self)
        return bytes.count > 200 ? "\(text)… (\(bytes.count) bytes)" : text
    }

    /// Key, value and headers. Invalid UTF-8 is in base 64, under `key_base64` and `value_base64`.
    var json: JSONValue {
        var object = JSONObject()
        Self.add("key", record.key, to: &object)
        Self.add("value", record.value, to: &object)
        var headers = JSONObject()
        for header in record.headers { Self.add(header.name, header.value, to: &headers) }
        object["headers"] = .object(headers)
        object["topic"] = .string(record.topic)
        object["partition"] = .number(JSONNumber(record.partition))
        object["offset"] = .number(JSONNumber(record.offset))
        return .object(object)
    }

    private static func add(_ name: String, _ bytes: [UInt8]?, to object: inout JSONObject) {
        guard let bytes else { return object[name] = .null }
        if let text = String(validating: bytes, as: UTF8.self) {
            object[name] = .string(text)
        } else {
            object[name + "_base64"] = .string(Data(bytes).base64EncodedString())
        }
    }
}
