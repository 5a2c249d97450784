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

    /// Checks what every command needs, and its ids as the service does: with ids that are of no use, nobody could tell
    /// which events are the command's. The service checks the rest.
    init(_ value: [UInt8]) throws(Mistake) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(value)
        } catch {
            throw Mistake("is no JSON: \(error)")
        }
        try self.init(json, value: value)
    }

    init(_ json: JSONValue, value: [UInt8]? = nil) throws(Mistake) {
        guard json.object != nil else { throw Mistake("is no JSON object") }
        guard let id = json["command_id"]?.string, !id.isEmpty else {
            throw Mistake("has no command_id (a string of 1 to 255 characters)")
        }
        if id.unicodeScalars.count > 255 { throw Mistake("has more than 255 characters", field: "command_id") }
        if id.utf8.contains(0) { throw Mistake("must not contain NUL", field: "command_id") }
        let workflowID = json["workflow_id"]?.string
        if let workflowID { try Self.check(workflowID: workflowID) }
        self.value = value ?? json.serialize()
        self.workflowID = workflowID
        commandID = id
        key = workflowID ?? json["order_id"]?.string ?? id
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
