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

    /// Why a text is no command.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    /// Checks what every command needs; the service checks the rest.
    init(_ value: [UInt8]) throws(Mistake) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(value)
        } catch {
            throw Mistake(description: "it is no JSON: \(error)")
        }
        try self.init(json, value: value)
    }

    init(_ json: JSONValue, value: [UInt8]? = nil) throws(Mistake) {
        guard json.object != nil else { throw Mistake(description: "it is no JSON object") }
        guard let id = json["command_id"]?.string, !id.isEmpty else {
            throw Mistake(description: "it has no command_id (a string of 1 to 255 characters)")
        }
        self.value = value ?? json.serialize()
        commandID = id
        workflowID = json["workflow_id"]?.string
        key = workflowID ?? json["order_id"]?.string ?? id
    }

    /// Whether an event tells about this command.
    func isMeant(by event: SagaEvent) -> Bool {
        event.commandID == commandID && (workflowID == nil || event.workflowID == workflowID)
    }
}
