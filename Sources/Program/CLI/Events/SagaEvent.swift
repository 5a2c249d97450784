internal import SagamoreJSONText
internal import SagamoreKafkaClient

/// An event read from a topic.
struct SagaEvent {
    let record: KafkaRecord
    let commandID: String
    let workflowID: String
    let status: String

    private let value: [UInt8]
    private let members: [JSONMember]

    /// The nesting limit: more than the service allows.
    private static let depthLimit = 1_000

    /// Nil when the record's value is not a JSON object. Members are not validated: a result is passed on as the
    /// workflow encoded it, even with duplicate keys.
    init?(_ record: KafkaRecord) {
        guard let value = record.value,
            let members = try? JSONScanner.members(of: value, depthLimit: Self.depthLimit)
        else { return nil }
        func text(_ name: String) -> String {
            guard let member = members.first(where: { $0.key == name }) else { return "" }
            return (try? JSONScanner.string(value, member.range)) ?? ""
        }
        self.record = record
        self.value = value
        self.members = members
        commandID = text("command_id")
        workflowID = text("workflow_id")
        status = text("status")
    }

    /// The bytes of a member in the event.
    private func bytes(_ name: String) -> [UInt8]? {
        members.first { $0.key == name }.map { Array(value[$0.range]) }
    }

    /// The value of a member; nil also when it contains duplicate keys.
    private subscript(name: String) -> JSONValue? {
        bytes(name).flatMap { try? JSONValue.parse($0, depthLimit: Self.depthLimit) }
    }

    /// The event as JSON, in one line.
    var line: String { Self.line(value) }

    private static func line(_ json: [UInt8]) -> String {
        if let value = try? JSONValue.parse(json, depthLimit: depthLimit) { return value.text() }
        // Left as it is: line breaks are white space in JSON.
        let breaks = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        return String(decoding: json.map { breaks.contains($0) ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }

    /// When it happened, in nanoseconds since 1970: the event's time, or else the record's.
    var at: Int64? {
        if let text = self["at"]?.string, let (seconds, nanos) = RFC3339.parse(text) {
            return EpochNanoseconds.of(seconds: seconds, nanos: nanos)
        }
        return record.timestamp.flatMap { EpochNanoseconds.of(milliseconds: $0) }
    }

    /// The final statuses of a command.
    private static let last: Set = [
        "passed", "compensated", "failed", "cancelled", "terminated", "timed_out", "delivered", "answered", "updated",
        "rejected",
    ]

    /// Whether it is its command's final event.
    var isLast: Bool { Self.last.contains(status) }

    /// Whether the command succeeded.
    var isGood: Bool {
        switch status {
        case "passed", "delivered", "accepted": true
        case "answered", "updated": bytes("failure") == nil
        default: false
        }
    }

    /// The details besides the status, in one line.
    var detail: String {
        var parts: [String] = []
        if let reason = self["reason"] {
            parts.append([reason["code"]?.string, reason["message"]?.string].compactMap { $0 }.joined(separator: ": "))
        }
        if let failure = self["failure"] { parts.append(Self.text(ofFailure: failure)) }
        if let undos = self["compensations"]?.array, !undos.isEmpty {
            let names = undos.map { undo in
                let name = undo["compensation"]?.string ?? "?"
                return undo["status"]?.string == "failed" ? "\(name) (failed)" : name
            }
            parts.append("undone: " + names.joined(separator: ", "))
        }
        if let result = bytes("result") { parts.append(Self.line(result)) }
        if self["result_omitted"]?.bool == true { parts.append("the result is too large for the topic") }
        return parts.filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// The outermost failure, and the innermost, which is usually the root cause.
    private static func text(ofFailure failure: JSONValue) -> String {
        func line(_ failure: JSONValue) -> String {
            [failure["type"]?.string, failure["message"]?.string].compactMap { $0 }.joined(separator: ": ")
        }
        var innermost = failure
        while let cause = innermost["cause"], cause.object != nil { innermost = cause }
        return innermost == failure ? line(failure) : "\(line(failure)) <- \(line(innermost))"
    }
}
