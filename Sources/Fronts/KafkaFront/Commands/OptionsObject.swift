internal import SagamoreJSONText
internal import SagamoreProtobuf

/// An object of options in a command, and the values of its members. Points into the record's bytes, and must not
/// outlive them.
struct OptionsObject {
    private let bytes: UnsafeRawBufferPointer
    /// What refusals call it, such as `options.retry_policy`.
    private let name: String

    init(_ bytes: UnsafeRawBufferPointer, _ name: String) {
        self.bytes = bytes
        self.name = name
    }

    /// The members, each key once.
    func members() throws(Refusal) -> [JSONMember] {
        let members: [JSONMember]
        do throws(JSONError) {
            members = try JSONScanner.members(of: bytes)
        } catch {
            throw .invalid(name, "must be an object")
        }
        if let twice = members.first(where: \.isDuplicate) { throw refusal(twice, "is given more than once") }
        return members
    }

    /// An object among the values; nil for null.
    func object(_ member: JSONMember) throws(Refusal) -> OptionsObject? {
        guard member.kind != .null else { return nil }
        guard member.kind == .object else { throw refusal(member, "must be an object") }
        return OptionsObject(raw(member), "\(name).\(member.key)")
    }

    func refusal(_ member: JSONMember, _ what: String) -> Refusal { .invalid("\(name).\(member.key)", what) }

    func raw(_ member: JSONMember) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[member.range])
    }

    /// Nil for null.
    func text(_ member: JSONMember) throws(Refusal) -> String? {
        guard member.kind != .null else { return nil }
        guard member.kind == .string, let text = try? JSONScanner.string(raw(member)) else {
            throw refusal(member, "must be a string")
        }
        return text
    }

    /// Nil for null.
    func duration(_ member: JSONMember) throws(Refusal) -> ProtobufDuration? {
        guard member.kind != .null else { return nil }
        guard member.kind == .string, let text = try? JSONScanner.string(raw(member)),
            let duration = GoDuration.parse(text)
        else { throw refusal(member, "must be a duration such as \"90s\" or \"1h30m\"") }
        guard duration >= .zero else { throw refusal(member, "must not be negative") }
        let (seconds, attoseconds) = duration.components
        return ProtobufDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}
