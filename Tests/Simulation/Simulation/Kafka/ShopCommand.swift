internal import SagamoreEngine
internal import SagamoreSimulatedTime
internal import SagamoreSimulatedWorkers

/// A record that the shop writes to the topic of the commands.
struct ShopCommand {
    enum Kind {
        /// Starts a saga.
        case start(WorkflowScript)
        /// Signals a saga that another command has started, or will.
        case signal
        /// Asks a saga to end.
        case cancel
        /// A command that is refused: its event is `rejected`.
        case refused
        /// No command at all: it becomes a dead letter.
        case unreadable
    }

    let kind: Kind
    let id: String
    let workflowID: String
    /// The record's value. Nil is Kafka's null.
    let value: [UInt8]?

    /// The workflow in the world's only namespace.
    var key: WorkflowKey { WorkflowKey(namespace: 1, workflowID: workflowID) }

    /// What the tables of a report call it.
    var name: String {
        switch kind {
        case .start: "command: start"
        case .signal: "command: signal"
        case .cancel: "command: cancel"
        case .refused: "command that is refused"
        case .unreadable: "record that is no command"
        }
    }

    private init(_ kind: Kind, _ id: String, _ workflowID: String, _ value: [UInt8]?) {
        self.kind = kind
        self.id = id
        self.workflowID = workflowID
        self.value = value
    }

    private static func text(_ id: String, _ command: String, _ workflowID: String, _ rest: String = "") -> [UInt8] {
        let head = "{\"command_id\":\"\(id)\",\"command\":\"\(command)\",\"workflow_id\":\"\(workflowID)\""
        return Array((head + rest + "}").utf8)
    }

    static func start(_ number: Int, _ script: WorkflowScript) -> ShopCommand {
        let id = "order-\(number)"
        // Without a workflow's id the command's id takes its place.
        let workflow = number % 2 == 0 ? ",\"workflow_id\":\"\(id)\"" : ""
        let input = String(decoding: script.json, as: UTF8.self)
        let text = "{\"command_id\":\"\(id)\"\(workflow),\"order\":\(number),\"input\":\(input)}"
        return ShopCommand(.start(script), id, id, Array(text.utf8))
    }

    static func signal(_ number: Int, to workflowID: String, _ signal: Int) -> ShopCommand {
        let id = "signal-\(number)"
        let rest = ",\"signal\":\"\(WorkflowScript.signalName(signal))\""
        return ShopCommand(.signal, id, workflowID, text(id, "signal", workflowID, rest))
    }

    static func cancel(_ number: Int, _ workflowID: String) -> ShopCommand {
        let id = "cancel-\(number)"
        return ShopCommand(.cancel, id, workflowID, text(id, "cancel", workflowID, ",\"reason\":\"by chance\""))
    }

    static func refused(_ number: Int, _ workflowID: String) -> ShopCommand {
        let id = "refused-\(number)"
        // Its signal is missing.
        return ShopCommand(.refused, id, workflowID, text(id, "signal", workflowID))
    }

    static func unreadable(_ number: Int, _ random: inout SeededRandom) -> ShopCommand {
        let values: [String?] = [
            nil, "", "{\"command_id\":", "[1]", "{\"command\":\"start\"}", "{\"command_id\":\"\"}",
        ]
        let value = values[random.below(values.count)].map { Array($0.utf8) }
        return ShopCommand(.unreadable, "unreadable-\(number)", "", value)
    }
}
