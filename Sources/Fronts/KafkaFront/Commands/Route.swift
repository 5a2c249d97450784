/// The defaults of a command topic's records, and the topics of their events.
public struct Route: Sendable {
    /// The name of the topic that holds the commands.
    public var commandTopic: String
    /// The default namespace.
    public var namespace: String
    /// The default workflow type.
    public var workflowType: String?
    /// The default task queue.
    public var taskQueue: String?
    /// How the default workflow id is built.
    public var workflowIDTemplate: WorkflowIDTemplate
    /// The topic of the status events.
    public var eventsTopic: String
    /// The topic of records that cannot be parsed.
    public var deadLetterTopic: String
    /// The allowed commands. Others are rejected with `PERMISSION_DENIED`.
    public var allowedCommands: Set<CommandName>
    /// The namespaces, and the types and task queues of starts, that a record may name; nil: all. Others are rejected
    /// with `PERMISSION_DENIED`.
    public var allowed: (namespaces: Set<String>?, workflowTypes: Set<String>?, taskQueues: Set<String>?) = (
        nil, nil, nil
    )

    /// Creates a route. The defaults are those of the default route, `saga.commands` to `saga.events`.
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

    /// All topics of the route.
    public var topics: [String] { [commandTopic, eventsTopic, deadLetterTopic] }
}

/// The commands that users know.
public enum CommandName: String, Sendable, CaseIterable {
    /// The commands of the same names.
    case start, signal, query, update, cancel, terminate
    /// A signal that starts the workflow first if it is not running.
    case signalWithStart = "signal_with_start"

    /// Whether this version supports the command.
    var isAvailable: Bool {
        switch self {
        case .start, .signal, .cancel, .terminate: true
        case .signalWithStart, .query, .update: false
        }
    }
}
