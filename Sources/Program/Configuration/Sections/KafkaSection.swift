internal import SagamoreEngine
internal import SagamoreKafkaClient
public import SagamoreKafkaFront

/// The Kafka cluster with the topics of commands and events.
public struct KafkaSection: ConfigurationSection {
    /// The brokers to begin with.
    public var bootstrap = "localhost:9092"
    /// The client's name.
    public var clientID = "sagamore"
    /// librdkafka's properties.
    public var properties = KafkaProperties()
    /// The consumer group; empty for one of this installation's own.
    public var consumerGroup = ""
    /// The topic of the publishers' cursors.
    public var cursorTopic = "sagamore.cursors"
    /// Whether missing topics are created.
    public var createTopics = true
    /// The partitions of created topics.
    public var partitions = 8
    /// The routes.
    public var routes = [RouteSection()]

    /// A broker on this machine.
    public init() {}

    /// All keys.
    public static let settings: [Setting<KafkaSection>] = [
        Setting("bootstrap", \.bootstrap, "The brokers to begin with: HOST:PORT, several with commas.") {
            $0.isEmpty ? "is empty" : nil
        },
        Setting("clientID", \.clientID, "The name of this client in the brokers' logs and quotas."),
        Setting(
            "properties",
            \.properties,
            """
            Properties of librdkafka by their own names, such as security.protocol: SASL_SSL, sasl.mechanisms: \
            SCRAM-SHA-512, sasl.username, sasl.password: file:PATH, ssl.ca.location. Secrets are ${VARIABLE} or \
            file:PATH.
            """
        ),
        Setting(
            "consumerGroup",
            \.consumerGroup,
            "The consumer group of the commands. Empty: this installation's own."
        ),
        Setting("cursorTopic", \.cursorTopic, "The topic of the publishers' cursors. It holds no records.") {
            $0.isEmpty ? "is empty" : nil
        },
        Setting("createTopics", \.createTopics, "Whether topics that are missing are created."),
        Setting("partitions", \.partitions, "The number of partitions of created topics.") {
            (1...10_000).contains($0) ? nil : "expects a number from 1 to 10000, not \($0)"
        },
        Setting("routes", \.routes, "Where commands come from, and where their events go.") {
            $0.isEmpty ? "needs a route" : nil
        },
    ]

    /// Each topic has one meaning.
    public func validate() throws {
        var commands: Set<String> = []
        for route in routes where !commands.insert(route.commands).inserted {
            throw ConfigurationProblem("two routes read the topic '\(route.commands)'", key: "routes")
        }
        for topic in routes.flatMap({ [$0.events, $0.deadLetterTopic] }) where commands.contains(topic) {
            throw ConfigurationProblem("the topic '\(topic)' is read and written", key: "routes")
        }
    }

    /// What may not work with the library that this program runs with; nil when nothing is known.
    public var warning: String? {
        let mechanism = properties.values["sasl.mechanisms"] ?? properties.values["sasl.mechanism"] ?? ""
        guard mechanism.hasPrefix("SCRAM"), !KafkaConfiguration.canUseScram else { return nil }
        return "this librdkafka is older than 2.6.1 and cannot log in by SCRAM at Apache Kafka 4 or newer: use a "
            + "newer one, PLAIN with TLS, or a client certificate"
    }

    /// The front's configuration.
    ///
    /// - Parameter isBound: whether a route that says nothing leads to its own namespace alone.
    public func frontConfiguration(isBound: Bool = false) -> KafkaFrontConfiguration {
        var front = KafkaFrontConfiguration(
            kafka: KafkaConfiguration(bootstrap: bootstrap, clientID: clientID, properties: properties.values),
            routes: routes.map { $0.route(isBound: isBound) }
        )
        front.cursorTopic = cursorTopic
        front.topicCreation = createTopics ? .byRequest : .none
        front.partitions = partitions
        front.consumerGroup = consumerGroup.isEmpty ? nil : consumerGroup
        return front
    }
}

/// Where the commands of a topic lead.
public struct RouteSection: ConfigurationSection {
    /// The topic of the commands.
    public var commands = "saga.commands"
    /// The topic of their events.
    public var events = "saga.events"
    /// The topic of records that nobody can understand; empty: the commands' with `.dlq`.
    public var deadLetters = ""
    /// What a command that does not say has.
    public var namespace = "default"
    /// The workflow type of a command that does not say.
    public var workflow = ""
    /// The task queue of a command that does not say.
    public var taskQueue = ""
    /// The workflow id of a command that does not say.
    public var workflowID = "{command_id}"
    /// What a record may ask for.
    public var allowedCommands = CommandName.allCases.map(AllowedCommand.init)
    /// The namespaces that a record may name.
    public var allowedNamespaces: [String] = []
    /// The workflow types that a record may start.
    public var allowedWorkflows: [String] = []
    /// The task queues on which a record may start workflows.
    public var allowedTaskQueues: [String] = []

    /// The default route.
    public init() {}

    /// All keys.
    public static let settings: [Setting<RouteSection>] = [
        Setting("commands", \.commands, "The topic of the commands.") { $0.isEmpty ? "is empty" : nil },
        Setting("events", \.events, "The topic of their events.") { $0.isEmpty ? "is empty" : nil },
        Setting(
            "deadLetters",
            \.deadLetters,
            "The topic of records that nobody can understand. Empty: the commands' topic with '.dlq'."
        ),
        Setting("namespace", \.namespace, "The namespace of a command that names none.") {
            $0.isEmpty ? "is empty" : nil
        },
        Setting("workflow", \.workflow, "The workflow type of a command that names none."),
        Setting("taskQueue", \.taskQueue, "The task queue of a command that names none."),
        Setting(
            "workflowID",
            \.workflowID,
            "The workflow id of a command that names none: text with fields of the command, '{order_id}-{command_id}'."
        ) { WorkflowIDTemplate($0) == nil ? "expects text with names of fields in braces, not '\($0)'" : nil },
        Setting("allowedCommands", \.allowedCommands, "What records of this topic may ask for."),
        Setting(
            "allowedNamespaces",
            \.allowedNamespaces,
            "The namespaces that a record may name. None: with 'authorization' the route's own, and all without."
        ),
        Setting("allowedWorkflows", \.allowedWorkflows, "The workflow types that a record may start. None: all."),
        Setting(
            "allowedTaskQueues",
            \.allowedTaskQueues,
            "The task queues on which a record may start workflows. None: all."
        ),
    ]

    /// What a record without the field gets is allowed.
    public func validate() throws {
        for (key, value, allowed) in [
            ("allowedNamespaces", namespace, allowedNamespaces), ("allowedWorkflows", workflow, allowedWorkflows),
            ("allowedTaskQueues", taskQueue, allowedTaskQueues),
        ] where !value.isEmpty && !allowed.isEmpty && !allowed.contains(value) {
            throw ConfigurationProblem("'\(key)' does not have the route's own '\(value)'", key: key)
        }
    }

    var deadLetterTopic: String { deadLetters.isEmpty ? commands + ".dlq" : deadLetters }

    /// - Parameter isBound: whether a route that says nothing leads to its own namespace alone.
    func route(isBound: Bool) -> Route {
        var route = Route(
            commandTopic: commands,
            namespace: namespace,
            workflowType: workflow.isEmpty ? nil : workflow,
            taskQueue: taskQueue.isEmpty ? nil : taskQueue,
            workflowIDTemplate: WorkflowIDTemplate(workflowID) ?? .commandID,
            eventsTopic: events,
            deadLetterTopic: deadLetterTopic,
            allowedCommands: Set(allowedCommands.map(\.name))
        )
        if isBound || !allowedNamespaces.isEmpty {
            route.allowed.namespaces = Set(allowedNamespaces.isEmpty ? [namespace] : allowedNamespaces)
        }
        if !allowedWorkflows.isEmpty { route.allowed.workflowTypes = Set(allowedWorkflows) }
        if !allowedTaskQueues.isEmpty { route.allowed.taskQueues = Set(allowedTaskQueues) }
        return route
    }
}

/// A command that a route allows.
public struct AllowedCommand: ConfigurationChoice {
    let name: CommandName

    init(_ name: CommandName) { self.name = name }

    /// A command by its name.
    public init?(rawValue: String) {
        guard let name = CommandName(rawValue: rawValue) else { return nil }
        self.name = name
    }

    /// Its name.
    public var rawValue: String { name.rawValue }

    /// All commands.
    public static var allCases: [AllowedCommand] { CommandName.allCases.map(AllowedCommand.init) }
}

/// Properties of librdkafka by name. Values may be secrets.
public struct KafkaProperties: ConfigurationValue {
    private(set) var values: [String: String] = [:]

    init() {}

    /// Reads properties. librdkafka has to know each of them and take its value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: SettingKey.self)
        for key in container.allKeys {
            let value = try container.decode(Secret.self, forKey: key).value
            if let problem = KafkaConfiguration.problem(property: key.stringValue, value: value) {
                let place = try container.superDecoder(forKey: key).yamlMark
                throw ConfigurationProblem(problem).placed(at: place)
            }
            values[key.stringValue] = value
        }
    }

    /// Values whose names sound like secrets are masked.
    public var text: SettingText {
        .section(
            values.sorted { $0.key < $1.key }.map { name, value in
                let isSecret = ["password", "secret", "key.pem", "sasl.jaas"].contains { name.contains($0) }
                return SettingText.Member(key: name, comment: "", text: isSecret ? Secret(value).text : value.text)
            }
        )
    }
}
