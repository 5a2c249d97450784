internal import SagamoreJSONText

/// A command that is to be published: the record's value, and what the program has to know of it.
struct CommandDocument: Equatable {
    /// The value of the record, as it was given.
    let value: [UInt8]
    let commandID: String
    /// As the command says; nil leaves it to the route.
    let workflowID: String?
    /// What orders it: the workflow's id, else the order's, else its own.
    let key: String

    /// The workflow that its events name: of a command that names none, its own id is the workflow's.
    var eventsWorkflowID: String { workflowID ?? commandID }

    /// Why a text is no command.
    struct Mistake: Error, CustomStringConvertible {
        /// The field that is wrong; nil where it is the whole.
        let field: String?
        /// What is wrong, behind the name of the field or "it".
        let problem: String

        init(_ problem: String, field: String? = nil) {
            self.field = field
            self.problem = problem
        }

        var description: String { field.map { "its \($0) \(problem)" } ?? "it \(problem)" }
    }

    /// Checks what every command needs, its keys, and its ids as the service does: without usable ids nobody could tell
    /// which events are the command's. The service checks the rest. Values are not looked into: `input` may hold any
    /// JSON that the service takes.
    init(_ value: [UInt8]) throws(Mistake) {
        let members: [JSONMember]
        do throws(JSONError) {
            members = try JSONScanner.members(of: value)
        } catch {
            if error.code == .notAnObject { throw Mistake("is not a JSON object") }
            throw Mistake("is not JSON: \(error)")
        }
        if let twice = members.first(where: \.isDuplicate) {
            throw Mistake("is given more than once", field: twice.key)
        }
        func string(_ name: String) -> String? {
            members.first { $0.key == name }.flatMap { try? JSONScanner.string(value, $0.range) }
        }
        guard let id = string("command_id"), !id.isEmpty else {
            throw Mistake("has no command_id (a string of 1 to 255 characters)")
        }
        if id.unicodeScalars.count > 255 { throw Mistake("has more than 255 characters", field: "command_id") }
        if id.utf8.contains(0) { throw Mistake("must not contain NUL", field: "command_id") }
        let workflowID = string("workflow_id")
        if let workflowID { try Self.check(workflowID: workflowID) }
        self.value = value
        self.workflowID = workflowID
        commandID = id
        key = workflowID ?? string("order_id") ?? id
    }

    private static func check(workflowID id: String) throws(Mistake) {
        if id.isEmpty { throw Mistake("must not be empty", field: "workflow_id") }
        if id.utf8.count > 1_000 { throw Mistake("has more than 1000 bytes", field: "workflow_id") }
        if id.utf8.contains(0) { throw Mistake("must not contain NUL", field: "workflow_id") }
    }

    /// Whether an event tells about this command.
    func isMeant(by event: SagaEvent) -> Bool {
        event.commandID == commandID && event.workflowID == eventsWorkflowID
    }
}
