internal import SagamoreJSONText

/// An event that its topic finds too large, without its result.
enum OversizeEvent {
    /// The event with `"result_omitted": true` in the place of `result`; nil when it is no event with a result.
    static func withoutResult(_ value: [UInt8]) -> [UInt8]? {
        guard let members = try? JSONScanner.members(of: value), members.contains(where: { $0.key == "result" }),
            members.contains(where: { $0.key == "status" })
        else { return nil }
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
}
