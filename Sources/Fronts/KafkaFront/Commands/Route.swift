/// What a command topic's records are by default, and where their events go.
public struct Route: Sendable {
    /// The name of the topic that holds the commands.
    public var commandTopic: String
    /// The namespace of commands that name none.
    public var namespace: String
    /// The workflow type of commands that name none.
    public var workflowType: String?
    /// The task queue of commands that name none.
    public var taskQueue: String?
    /// How the workflow id of a command that names none is made.
    public var workflowIDTemplate: WorkflowIDTemplate
    /// The topic of the status events.
    public var eventsTopic: String
    /// The topic of records that no one can understand.
    public var deadLetterTopic: String
    /// Other commands are rejected with `PERMISSION_DENIED`.
    public var allowedCommands: Set<CommandName>

    /// Creates a route; what is left out is as in the default route, `saga.commands` to `saga.events`.
    public init(
        commandTopic: String = "saga.commands",
        namespace: String = "default",
        workflowType: String? = nil,
        taskQueue: String? = nil,
        workflowIDTemplate: WorkflowIDTemplate = .commandID,
        eventsTopic: String = "saga.events",
        deadLetterTopic: String? = nil,
        allowedCommands: Set<CommandName> = Set(CommandName.allCases)
    ) {
        self.commandTopic = commandTopic
        self.namespace = namespace
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.workflowIDTemplate = workflowIDTemplate
        self.eventsTopic = eventsTopic
        self.deadLetterTopic = deadLetterTopic ?? commandTopic + ".dlq"
        self.allowedCommands = allowedCommands
    }

    /// All topics that the route names.
    public var topics: [String] { [commandTopic, eventsTopic, deadLetterTopic] }
}

/// The commands that users know.
public enum CommandName: String, Sendable, CaseIterable {
    /// The commands of the same names.
    case start, signal, query, update, cancel, terminate
    /// A signal that starts the workflow first when it does not run.
    case signalWithStart = "signal_with_start"

    /// Whether this version carries it out.
    var isAvailable: Bool {
        switch self {
        case .start, .signal, .cancel, .terminate: true
        case .signalWithStart, .query, .update: false
        }
    }
}
