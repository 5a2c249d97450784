public import SagamoreGRPCFront

/// How much namespaces and callers may ask for.
public struct LimitsSection: ConfigurationSection {
    /// Of each namespace.
    public var namespace = NamespaceLimitSection()
    /// Of some namespaces.
    public var namespaces: [NamedLimitSection] = []
    /// Of each caller who is known.
    public var caller = CallerLimitSection()

    /// None.
    public init() {}

    /// All keys.
    public static let settings: [Setting<LimitsSection>] = [
        Setting("namespace", \.namespace, "For each namespace that is not in 'namespaces'."),
        Setting("namespaces", \.namespaces, "For some namespaces; what is not given is as in 'namespace'."),
        Setting("caller", \.caller, "For each caller whom 'authorization' knows, by name, in all namespaces together."),
    ]

    /// Each namespace has its limits once.
    public func validate() throws {
        var names: Set<String> = []
        for section in namespaces where !names.insert(section.name).inserted {
            throw ConfigurationProblem("'\(section.name)' is there twice", key: "namespaces")
        }
    }

    /// For the server.
    public var table: RequestLimitTable {
        var table = RequestLimitTable()
        table.namespace = namespace.limits
        table.caller.requestsPerSecond = caller.requestsPerSecond
        table.caller.longPolls = caller.longPolls
        table.caller.payloadBytesPerSecond = caller.payloadBytesPerSecond
        for section in namespaces { table.namespaces[section.name] = section.limits(over: table.namespace) }
        return table
    }
}

/// The limits of a namespace. 0 stands for no limit.
public struct NamespaceLimitSection: ConfigurationSection {
    /// Requests a second.
    public var requestsPerSecond = 0
    /// Long polls at a time.
    public var longPolls = 0
    /// Bytes of requests a second.
    public var payloadBytesPerSecond = 0
    /// Open workflows.
    public var runningWorkflows = 0

    /// None.
    public init() {}

    /// All keys.
    public static let settings: [Setting<NamespaceLimitSection>] = [
        Setting(
            "requestsPerSecond",
            \.requestsPerSecond,
            "Requests a second. What ends a task, and heartbeats, do not count and are never refused. 0: no limit.",
            check: LimitNumber.check
        ),
        Setting("longPolls", \.longPolls, "Polls that wait at the same time. 0: no limit.", check: LimitNumber.check),
        Setting(
            "payloadBytesPerSecond",
            \.payloadBytesPerSecond,
            "Bytes of requests a second. 0: no limit.",
            check: LimitNumber.check
        ),
        Setting(
            "runningWorkflows",
            \.runningWorkflows,
            "Open workflows; more cannot be started by clients. They are counted every second. 0: no limit.",
            check: LimitNumber.check
        ),
    ]

    var limits: RequestLimits {
        var limits = RequestLimits()
        limits.requestsPerSecond = requestsPerSecond
        limits.longPolls = longPolls
        limits.payloadBytesPerSecond = payloadBytesPerSecond
        limits.runningWorkflows = runningWorkflows
        return limits
    }
}

/// The limits of one namespace; nil is as for all.
public struct NamedLimitSection: ConfigurationSection {
    /// The namespace.
    public var name = ""
    /// As in ``NamespaceLimitSection``.
    public var requestsPerSecond: Int?
    /// As in ``NamespaceLimitSection``.
    public var longPolls: Int?
    /// As in ``NamespaceLimitSection``.
    public var payloadBytesPerSecond: Int?
    /// As in ``NamespaceLimitSection``.
    public var runningWorkflows: Int?

    /// As for all.
    public init() {}

    /// All keys.
    public static let settings: [Setting<NamedLimitSection>] = [
        Setting("name", \.name, "The namespace."),
        Setting("requestsPerSecond", \.requestsPerSecond, "As above.", check: LimitNumber.check),
        Setting("longPolls", \.longPolls, "As above.", check: LimitNumber.check),
        Setting("payloadBytesPerSecond", \.payloadBytesPerSecond, "As above.", check: LimitNumber.check),
        Setting("runningWorkflows", \.runningWorkflows, "As above.", check: LimitNumber.check),
    ]

    /// Every one has a name.
    public func validate() throws {
        if name.isEmpty { throw ConfigurationProblem("a namespace's limits need its 'name'") }
    }

    func limits(over others: RequestLimits) -> RequestLimits {
        var limits = others
        if let requestsPerSecond { limits.requestsPerSecond = requestsPerSecond }
        if let longPolls { limits.longPolls = longPolls }
        if let payloadBytesPerSecond { limits.payloadBytesPerSecond = payloadBytesPerSecond }
        if let runningWorkflows { limits.runningWorkflows = runningWorkflows }
        return limits
    }
}

/// The limits of a caller. 0 stands for no limit.
public struct CallerLimitSection: ConfigurationSection {
    /// As in ``NamespaceLimitSection``.
    public var requestsPerSecond = 0
    /// As in ``NamespaceLimitSection``.
    public var longPolls = 0
    /// As in ``NamespaceLimitSection``.
    public var payloadBytesPerSecond = 0

    /// None.
    public init() {}

    /// All keys.
    public static let settings: [Setting<CallerLimitSection>] = [
        Setting("requestsPerSecond", \.requestsPerSecond, "As above.", check: LimitNumber.check),
        Setting("longPolls", \.longPolls, "As above.", check: LimitNumber.check),
        Setting("payloadBytesPerSecond", \.payloadBytesPerSecond, "As above.", check: LimitNumber.check),
    ]
}

enum LimitNumber {
    @Sendable static func check(_ value: Int) -> String? {
        (0...Int(Int32.max)).contains(value) ? nil : "expects a number from 0 to \(Int32.max), not \(value)"
    }

    @Sendable static func check(_ value: Int?) -> String? { value.flatMap { check($0) as String? } }
}
