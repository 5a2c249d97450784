internal import SagamoreJSONText
internal import SagamoreKafkaClient

/// An event as it was read from a topic.
struct SagaEvent {
    let json: JSONValue
    let record: KafkaRecord

    var commandID: String { json["command_id"]?.string ?? "" }
    var workflowID: String { json["workflow_id"]?.string ?? "" }
    var status: String { json["status"]?.string ?? "" }

    /// Nil when the record's value is no JSON object.
    init?(_ record: KafkaRecord) {
        guard let value = record.value, let json = try? JSONValue.parse(value), json.object != nil else { return nil }
        self.json = json
        self.record = record
    }

    /// When it happened, in nanoseconds since 1970: what it says, else its record's time.
    var at: Int64? {
        if let text = json["at"]?.string, let (seconds, nanos) = RFC3339.parse(text) {
            return seconds * 1_000_000_000 + Int64(nanos)
        }
        return record.timestamp.map { $0 * 1_000_000 }
    }

    /// Statuses with which a command is done.
    private static let last: Set = [
        "passed", "compensated", "failed", "cancelled", "terminated", "timed_out", "delivered", "answered", "updated",
        "rejected",
    ]

    /// Whether the command that it belongs to is done.
    var isLast: Bool { Self.last.contains(status) }

    /// Whether the command did what it was sent for.
    var isGood: Bool {
        switch status {
        case "passed", "delivered", "accepted": true
        case "answered", "updated": json["failure"] == nil
        default: false
        }
    }

    /// What there is to say beside the status, in one line.
    var detail: String {
        var parts: [String] = []
        if let reason = json["reason"] {
            parts.append([reason["code"]?.string, reason["message"]?.string].compactMap { $0 }.joined(separator: ": "))
        }
        if let failure = json["failure"] { parts.append(Self.text(ofFailure: failure)) }
        if let undos = json["compensations"]?.array, !undos.isEmpty {
            let names = undos.map { undo in
                let name = undo["compensation"]?.string ?? "?"
                return undo["status"]?.string == "failed" ? "\(name) (failed)" : name
            }
            parts.append("undone: " + names.joined(separator: ", "))
        }
        if let result = json["result"] { parts.append(result.text()) }
        if json["result_omitted"]?.bool == true { parts.append("the result is too large for the topic") }
        return parts.filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// The outermost failure, and the innermost one, which is usually the reason.
    private static func text(ofFailure failure: JSONValue) -> String {
        func line(_ failure: JSONValue) -> String {
            [failure["type"]?.string, failure["message"]?.string].compactMap { $0 }.joined(separator: ": ")
        }
        var innermost = failure
        while let cause = innermost["cause"], cause.object != nil { innermost = cause }
        return innermost == failure ? line(failure) : "\(line(failure)) <- \(line(innermost))"
    }
}
