internal import SagamoreEngine
internal import SagamoreJSONText
internal import SagamoreKafkaClient
internal import SagamoreServices

/// A record with a command id: its action, or why it is rejected.
struct CommandDraft {
    /// The most bytes of correlation fields, which are part of every event.
    static let correlationLimit = 32 * 1024
    private static let traceHeaderLimit = 4_096

    let reader: CommandReader
    let fields: CommandFields
    let commandID: String
    private let envelope: CloudEvent?
    private let record: KafkaRecord

    var limits: Limits { reader.limits }
    var route: Route { reader.route }

    init(
        _ reader: CommandReader,
        _ fields: CommandFields,
        _ commandID: String,
        _ envelope: CloudEvent?,
        _ record: KafkaRecord
    ) {
        self.reader = reader
        self.fields = fields
        self.commandID = commandID
        self.envelope = envelope
        self.record = record
    }

    func command() -> IncomingCommand {
        var problem: Refusal?
        func attempt<Value>(_ fallback: Value, _ body: () throws(Refusal) -> Value) -> Value {
            do throws(Refusal) {
                return try body()
            } catch {
                problem = problem ?? error
                return fallback
            }
        }
        let (correlation, tooLarge) = correlationMembers()
        let origin = CommandOrigin(
            commandID: commandID,
            eventsTopic: route.eventsTopic,
            correlation: correlation,
            headers: traceHeaders()
        )
        attempt(()) { () throws(Refusal) in try checkShape(tooLarge) }
        // A command without a usable workflow id is rejected under its command id.
        let workflowID = attempt(commandID) { () throws(Refusal) in try self.workflowID() }
        let namespaceName = attempt(route.namespace) { () throws(Refusal) in
            let name = try identifier(.namespace) ?? route.namespace
            try check(name, isIn: route.allowed.namespaces, .namespace)
            return name
        }
        let namespace = attempt(Self.standIn(for: namespaceName)) { () throws(Refusal) in
            guard let number = reader.namespaceNumber(namespaceName) else {
                throw Refusal(
                    code: "NOT_FOUND",
                    message: "namespace: there is no namespace \(Refusal.shortened(namespaceName))"
                )
            }
            return number
        }
        let name = attempt(CommandName.start) { () throws(Refusal) in try commandName() }
        let given = attempt(nil) { () throws(Refusal) in try identifier(.workflow) }
        let workflowType = given ?? (name == .start ? route.workflowType : nil) ?? ""
        let key = WorkflowKey(namespace: namespace, workflowID: workflowID)
        let action = attempt(nil) { () throws(Refusal) -> IncomingCommand.Action? in
            guard problem == nil else { return nil }
            return try self.action(name, key, namespaceName, workflowType, origin)
        }
        let refusal = problem.map { IncomingCommand.Action.refuse(code: $0.code, message: $0.message) }
        return IncomingCommand(
            key: key,
            workflowType: workflowType,
            origin: origin,
            source: reader.coordinates(of: record),
            action: refusal ?? action ?? .refuse(code: "INTERNAL", message: "the command has no action")
        )
    }

    /// A number that no namespace has. Commands to different unknown namespaces are different commands.
    private static func standIn(for namespace: String) -> Int32 {
        var hash: UInt32 = 0x811c_9dc5
        for byte in namespace.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return -1 - Int32(hash & 0x3FFF_FFFF)
    }

    // MARK: Shape

    private func checkShape(_ tooLarge: String?) throws(Refusal) {
        if let name = fields.reserved { throw .invalid(name, "is the name of an event's field") }
        if let name = envelope?.duplicate ?? fields.duplicate { throw .invalid(name, "is given more than once") }
        if let tooLarge { throw .invalid(tooLarge, "correlation fields have more than \(Self.correlationLimit) bytes") }
        if envelope?.hasForeignData == true { throw .invalid("data", "must be a JSON object") }
        for field in CommandFields.Known.allCases {
            guard let kind = fields[field]?.kind, kind != .null else { continue }
            switch field {
            case .commandID, .input: continue
            case .inputIsArguments: guard kind == .bool else { throw .invalid(field, "must be true or false") }
            case .options: guard kind == .object else { throw .invalid(field, "must be an object") }
            default: guard kind == .string else { throw .invalid(field, "must be a string") }
            }
        }
    }

    private func commandName() throws(Refusal) -> CommandName {
        let name: CommandName
        if let ofEvent = envelope?.command {
            name = ofEvent
        } else if let text = try text(.command) {
            guard let known = CommandName(rawValue: text) else {
                throw .invalid(.command, "there is no command \"\(Refusal.shortened(text))\"")
            }
            name = known
        } else if let type = envelope?.type {
            throw .invalid("type", "\"\(Refusal.shortened(type))\" names no command")
        } else {
            name = .start
        }
        guard route.allowedCommands.contains(name) else {
            throw Refusal(code: "PERMISSION_DENIED", message: "command: \(name.rawValue) is not allowed on this topic")
        }
        guard name.isAvailable else {
            throw Refusal(code: "UNIMPLEMENTED", message: "command: \(name.rawValue) is not available in this version")
        }
        return name
    }

    /// - Throws: `PERMISSION_DENIED` for what the route does not allow.
    func check(_ value: String, isIn allowed: Set<String>?, _ field: CommandFields.Known) throws(Refusal) {
        guard let allowed, !allowed.contains(value) else { return }
        let name = Refusal.shortened(value)
        throw Refusal(code: "PERMISSION_DENIED", message: "\(field.rawValue): \(name) is not allowed on this topic")
    }

    private func workflowID() throws(Refusal) -> String {
        if let id = try identifier(.workflowID) { return id }
        let made = route.workflowIDTemplate.expand(commandID: commandID) { name in
            fields.correlation.first { $0.name == name }.flatMap { fields.plainText($0.value) }
        }
        switch made {
        case .failure(let missing): throw .invalid(missing.name, "is missing; the workflow id is built from it")
        case .success(let id): return try check(id, .workflowID)
        }
    }

    // MARK: Texts

    /// The text of a field; nil when it is absent or null.
    func text(_ field: CommandFields.Known) throws(Refusal) -> String? {
        guard let value = fields[field], value.kind != .null else { return nil }
        guard let text = fields.text(value) else { throw .invalid(field, "must be a string") }
        return text
    }

    /// The text of a field that names something; nil when it is absent or null.
    func identifier(_ field: CommandFields.Known) throws(Refusal) -> String? {
        guard let text = try text(field) else { return nil }
        return try check(text, field)
    }

    private func check(_ text: String, _ field: CommandFields.Known) throws(Refusal) -> String {
        if text.isEmpty { throw .invalid(field, "must not be empty") }
        if text.utf8.count > limits.identifierLength {
            throw .invalid(field, "has more than \(limits.identifierLength) bytes")
        }
        if text.holdsNUL { throw .invalid(field, "must not contain NUL") }
        return text
    }

    // MARK: What events repeat

    /// The correlation fields as members of an object, and the first one that exceeds the limit.
    private func correlationMembers() -> (members: [UInt8], tooLarge: String?) {
        guard !fields.correlation.isEmpty else { return ([], nil) }
        var writer = JSONWriter(capacity: 64)
        var rest = Self.correlationLimit
        for field in fields.correlation {
            rest -= field.name.utf8.count + field.value.range.count + 4
            guard rest >= 0 else { return (writer.bytes, field.name) }
            writer.key(field.name)
            writer.raw(fields.raw(field.value))
        }
        return (writer.bytes, nil)
    }

    private func traceHeaders() -> [CommandOrigin.Header] {
        if record.headers.isEmpty, envelope == nil { return [] }
        func header(_ name: String, _ ofEvent: [UInt8]?) -> CommandOrigin.Header? {
            let value = record.headers.first { $0.name == name }?.value ?? ofEvent
            guard let value, !value.isEmpty, value.count <= Self.traceHeaderLimit else { return nil }
            return CommandOrigin.Header(name: name, value: value)
        }
        return [
            header("traceparent", envelope?.traceParent), header("tracestate", envelope?.traceState),
        ].compactMap { $0 }
    }
}
