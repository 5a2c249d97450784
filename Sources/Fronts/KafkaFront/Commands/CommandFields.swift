internal import SagamoreJSONText

/// The members of a command's JSON object, found in one pass. Points into the record's bytes and must not outlive them.
struct CommandFields {
    /// A field that the contract knows.
    enum Known: String, CaseIterable {
        case commandID = "command_id"
        case command, workflow
        case workflowID = "workflow_id"
        case runID = "run_id"
        case namespace
        case taskQueue = "task_queue"
        case input
        case inputIsArguments = "input_is_arguments"
        case signal, query, update, reason, options
    }

    struct Value {
        let kind: JSONKind
        let range: Range<Int>
    }

    struct Correlation {
        let name: String
        let value: Value
    }

    let bytes: UnsafeRawBufferPointer
    private var known = [Value?](repeating: nil, count: Known.allCases.count)
    private(set) var correlation: [Correlation] = []
    /// The first key that is given more than once. Keys inside values are not compared.
    private(set) var duplicate: String?
    private(set) var hasDuplicateID = false
    /// The first scalar with the name of an event's field.
    private(set) var reserved: String?

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// - Throws: when the bytes are not a JSON object.
    mutating func scan() throws(Unreadable) {
        do throws(JSONError) {
            try JSONScanner.scan(bytes) { (member) throws(JSONError) in take(member) }
        } catch {
            throw Unreadable(error)
        }
    }

    private mutating func take(_ member: JSONMember) {
        let value = Value(kind: member.kind, range: member.range)
        if let field = Self.field(named: member.key) {
            if known[field.position] != nil {
                if field == .commandID { hasDuplicateID = true } else { duplicate = duplicate ?? member.key }
            }
            known[field.position] = known[field.position] ?? value
        } else if member.kind.isScalar, Self.isReserved(member.key) {
            reserved = reserved ?? member.key
        } else if member.isDuplicate {
            duplicate = duplicate ?? member.key
        } else if member.kind.isScalar {
            correlation.append(Correlation(name: member.key, value: value))
        }
    }

    /// The fields of events that commands do not have.
    static func isReserved(_ name: String) -> Bool {
        switch name {
        case "status", "sequence", "at", "result", "failure", "compensations", "result_omitted": true
        default: false
        }
    }

    private static func field(named name: String) -> Known? {
        switch name {
        case "command_id": .commandID
        case "command": .command
        case "workflow": .workflow
        case "workflow_id": .workflowID
        case "run_id": .runID
        case "namespace": .namespace
        case "task_queue": .taskQueue
        case "input": .input
        case "input_is_arguments": .inputIsArguments
        case "signal": .signal
        case "query": .query
        case "update": .update
        case "reason": .reason
        case "options": .options
        default: nil
        }
    }

    subscript(_ field: Known) -> Value? { known[field.position] }

    /// The bytes of a value in the record.
    func raw(_ value: Value) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[value.range]) }

    /// The text of a string; nil for another kind.
    func text(_ value: Value) -> String? {
        guard value.kind == .string else { return nil }
        return try? JSONScanner.string(raw(value))
    }

    /// A scalar as text, without quotes; nil for null.
    func plainText(_ value: Value) -> String? {
        switch value.kind {
        case .string: text(value)
        case .number, .bool: String(decoding: raw(value), as: UTF8.self)
        case .null, .object, .array: nil
        }
    }

    /// - Throws: `Unreadable.noCommandID` when there is no usable one.
    func commandID(_ envelope: CloudEvent?) throws(Unreadable) -> String {
        if let id = envelope?.id {
            guard Self.isUsable(commandID: id) else { throw .noCommandID }
            return id
        }
        guard !hasDuplicateID, let value = self[.commandID], let id = text(value), Self.isUsable(commandID: id) else {
            throw .noCommandID
        }
        return id
    }

    private static func isUsable(commandID id: String) -> Bool {
        let count = id.utf8.count
        guard count > 0, !id.holdsNUL else { return false }
        return count <= 255 || id.unicodeScalars.count <= 255
    }
}

extension CommandFields.Known {
    fileprivate var position: Int {
        switch self {
        case .commandID: 0
        case .command: 1
        case .workflow: 2
        case .workflowID: 3
        case .runID: 4
        case .namespace: 5
        case .taskQueue: 6
        case .input: 7
        case .inputIsArguments: 8
        case .signal: 9
        case .query: 10
        case .update: 11
        case .reason: 12
        case .options: 13
        }
    }
}
