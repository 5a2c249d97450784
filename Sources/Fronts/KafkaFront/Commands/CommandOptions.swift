internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// The `options` of a start. Points into the record's bytes, and must not outlive them.
struct CommandOptions {
    private let bytes: UnsafeRawBufferPointer
    private let limits: Limits

    init(_ bytes: UnsafeRawBufferPointer, _ limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    func apply(to request: inout StartWorkflowExecutionRequest) throws(Refusal) {
        for member in try members(of: bytes, "options") {
            if member.isDuplicate { throw refusal(member, "is given more than once") }
            switch member.key {
            case "execution_timeout": request.workflowExecutionTimeout = try duration(member)
            case "run_timeout": request.workflowRunTimeout = try duration(member)
            case "task_timeout": request.workflowTaskTimeout = try duration(member)
            case "start_delay": request.workflowStartDelay = try duration(member)
            case "id_reuse_policy": request.workflowIDReusePolicy = try policy(member, .unspecified)
            case "id_conflict_policy": request.workflowIDConflictPolicy = try policy(member, .unspecified)
            case "memo": request.memo = try map(member)
            case "search_attributes": request.searchAttributes = try map(member)
            case "cron_schedule": request.cronSchedule = try text(member) ?? ""
            case "retry_policy":
                guard member.kind != .null else { continue }
                guard member.kind == .object else { throw refusal(member, "must be an object") }
                request.retryPolicy = try RetryPolicyOptions(raw(member)).policy()
            default: throw refusal(member, "there is no such option")
            }
        }
    }

    private func refusal(_ member: JSONMember, _ what: String) -> Refusal {
        .invalid("options." + member.key, what)
    }

    private func members(of bytes: UnsafeRawBufferPointer, _ field: String) throws(Refusal) -> [JSONMember] {
        do throws(JSONError) {
            return try JSONScanner.members(of: bytes)
        } catch {
            throw .invalid(field, "must be an object")
        }
    }

    private func raw(_ member: JSONMember) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[member.range])
    }

    private func text(_ member: JSONMember) throws(Refusal) -> String? {
        guard member.kind != .null else { return nil }
        guard member.kind == .string, let text = try? JSONScanner.string(raw(member)) else {
            throw refusal(member, "must be a string")
        }
        return text
    }

    private func duration(_ member: JSONMember) throws(Refusal) -> ProtobufDuration? {
        guard let text = try text(member) else { return nil }
        guard let duration = GoDuration.parse(text) else {
            throw refusal(member, "must be a duration such as \"90s\" or \"1h30m\"")
        }
        guard duration >= .zero else { throw refusal(member, "must not be negative") }
        let (seconds, attoseconds) = duration.components
        return ProtobufDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }

    private func policy<Policy: ProtobufEnum>(_ member: JSONMember, _ none: Policy) throws(Refusal) -> Policy {
        guard let text = try text(member) else { return none }
        guard let policy = EnumName.value(Policy.self, text) else {
            let names = Policy.protobufNames.entries.dropFirst().map { EnumName.short($0.name, Policy.self) }
            throw refusal(member, "must be one of \(names.joined(separator: ", "))")
        }
        return policy
    }

    private func map<Message>(_ member: JSONMember) throws(Refusal) -> RawMessage<Message>? {
        guard member.kind != .null else { return nil }
        guard member.kind == .object else { throw refusal(member, "must be an object") }
        let object = raw(member)
        var entries: [(key: String, value: UnsafeRawBufferPointer)] = []
        for field in try members(of: object, "options." + member.key) {
            if field.isDuplicate { throw refusal(member, "has a key twice") }
            entries.append((field.key, UnsafeRawBufferPointer(rebasing: object[field.range])))
        }
        guard !entries.isEmpty else { return nil }
        let message: RawMessage<Message> = JSONPayloads.map(entries)
        if message.bytes.count > limits.payloadBytes {
            throw refusal(member, "has more than \(limits.payloadBytes) bytes")
        }
        return message
    }
}

/// Values of the contract's enumerations by their names, case-insensitive, with or without the common prefix.
enum EnumName {
    static func value<Value: ProtobufEnum>(_ type: Value.Type, _ text: String) -> Value? {
        let wanted = normal(text)
        guard !wanted.isEmpty else { return nil }
        for entry in type.protobufNames.entries
        where normal(entry.name) == wanted || normal(short(entry.name, type)) == wanted {
            return Value(rawValue: entry.number)
        }
        return nil
    }

    /// The name without the enumeration's prefix.
    static func short<Value: ProtobufEnum>(_ name: String, _ type: Value.Type) -> String {
        let unspecified = "UNSPECIFIED"
        guard let first = type.protobufNames.entries.first?.name, first.hasSuffix(unspecified) else { return name }
        let prefix = first.dropLast(unspecified.count)
        return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }

    /// The letters in lower case, without separators.
    private static func normal(_ text: String) -> [UInt8] {
        text.utf8.compactMap { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "_"), UInt8(ascii: "-"): nil
            default: byte
            }
        }
    }
}
