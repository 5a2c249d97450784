internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// The `options` of a start. Points into the record's bytes, and must not outlive them.
struct CommandOptions {
    private let options: OptionsObject
    private let limits: Limits

    init(_ bytes: UnsafeRawBufferPointer, _ limits: Limits) {
        options = OptionsObject(bytes, "options")
        self.limits = limits
    }

    func apply(to request: inout StartWorkflowExecutionRequest) throws(Refusal) {
        for member in try options.members() {
            switch member.key {
            case "execution_timeout": request.workflowExecutionTimeout = try options.duration(member)
            case "run_timeout": request.workflowRunTimeout = try options.duration(member)
            case "task_timeout": request.workflowTaskTimeout = try options.duration(member)
            case "start_delay": request.workflowStartDelay = try options.duration(member)
            case "id_reuse_policy": request.workflowIDReusePolicy = try policy(member, .unspecified)
            case "id_conflict_policy": request.workflowIDConflictPolicy = try policy(member, .unspecified)
            case "memo": request.memo = try map(member)
            case "search_attributes": request.searchAttributes = try map(member)
            case "cron_schedule": request.cronSchedule = try options.text(member) ?? ""
            case "retry_policy":
                guard let policy = try options.object(member) else { continue }
                request.retryPolicy = try RetryPolicyOptions(policy).policy()
            default: throw options.refusal(member, "there is no such option")
            }
        }
    }

    private func policy<Policy: ProtobufEnum>(_ member: JSONMember, _ none: Policy) throws(Refusal) -> Policy {
        guard let text = try options.text(member) else { return none }
        guard let policy = EnumName.value(Policy.self, text) else {
            let names = Policy.protobufNames.entries.dropFirst().map { EnumName.short($0.name, Policy.self) }
            throw options.refusal(member, "must be one of \(names.joined(separator: ", "))")
        }
        return policy
    }

    private func map<Message>(_ member: JSONMember) throws(Refusal) -> RawMessage<Message>? {
        guard let object = try options.object(member) else { return nil }
        let entries: [(key: String, value: UnsafeRawBufferPointer)]
        do throws(Refusal) {
            entries = try object.members().map { ($0.key, object.raw($0)) }
        } catch {
            // Its keys are the user's: they are not told.
            throw options.refusal(member, "has a key twice")
        }
        guard !entries.isEmpty else { return nil }
        let message: RawMessage<Message> = JSONPayloads.map(entries)
        if message.bytes.count > limits.payloadBytes {
            throw options.refusal(member, "has more than \(limits.payloadBytes) bytes")
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
