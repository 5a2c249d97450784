internal import SagamoreJSONText

/// A command to publish: the record's value, and the fields that the program needs.
struct CommandDocument: Equatable {
    /// The record's value, unchanged.
    let value: [UInt8]
    let commandID: String
    /// The command's field; nil when the route decides.
    let workflowID: String?
    /// The record's key, which determines its order: the workflow id, the order id, or its own id.
    let key: String

    /// The workflow id in its events: the command's id when it names none.
    var eventsWorkflowID: String { workflowID ?? commandID }

    /// Why a text is not a command.
    struct Mistake: Error, CustomStringConvertible {
        /// The invalid field; nil for the whole text.
        let field: String?
        /// The problem, to follow the name of the field or "it".
        let problem: String

        init(_ problem: String, field: String? = nil) {
            self.field = field
            self.problem = problem
        }

        var description: String { field.map { "its \($0) \(problem)" } ?? "it \(problem)" }
    }

    /// Checks the required fields, the keys and the ids as the service does: without valid ids the events of the
    /// command could not be identified. The service checks the rest. Values are not checked: `input` may be any JSON
    /// that the service accepts.
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

    /// Whether an event belongs to this command.
    func isMeant(by event: SagaEvent) -> Bool {
        event.commandID == commandID && event.workflowID == eventsWorkflowID
    }
}
