internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore task-queue config`.
enum TaskQueueConfiguration {
    static let rateLimit = Option<Change?>(
        "--queue-rps-limit",
        valueName: "NUMBER",
        help: "How many tasks a second at most; 'default' lifts it."
    )
    static let rateLimitReason = Option<String?>("--queue-rps-limit-reason", valueName: "TEXT", help: "Why.")
    static let keyRateLimit = Option<Change?>(
        "--fairness-key-rps-limit-default",
        valueName: "NUMBER",
        help: "How many tasks a second at most of each fairness key; 'default' lifts it."
    )
    static let keyRateLimitReason = Option<String?>(
        "--fairness-key-rps-limit-reason",
        valueName: "TEXT",
        help: "Why."
    )
    static let weights = Option<[KeyWeight]>(
        "--fairness-key-weight",
        valueName: "KEY=NUMBER",
        help: "The share of a fairness key; KEY=default forgets it."
    )
    static let clearsWeights = Flag("--fairness-key-weight-clear-all", help: "Forget the weights of all keys.")

    static let get = Command(
        "get",
        abstract: "Show the limits and weights of a task queue.",
        discussion: """
            JSON is the protobuf JSON of the configuration. Example:
            sagamore task-queue config get -t travel-booking --task-queue-type activity
            """,
        parameters: ServiceClient.parameters([TaskQueueOptions.name, TaskQueueOptions.kind])
    ) { values in
        let name = try TaskQueueOptions.name(values)
        try await ServiceClient.use(values) { client in
            let config = try await current(name, values[TaskQueueOptions.kind], client)
            try show(config, values)
        }
    }

    static let set = Command(
        "set",
        abstract: "Change the limits and weights of a task queue.",
        discussion: """
            Example:
            sagamore task-queue config set -t travel-booking --task-queue-type activity --queue-rps-limit 50
            """,
        parameters: ServiceClient.parameters([
            TaskQueueOptions.name, TaskQueueOptions.kind, rateLimit, rateLimitReason, keyRateLimit,
            keyRateLimitReason, weights, clearsWeights,
        ])
    ) { values in
        var change = try request(values)
        try await ServiceClient.use(values) { client in
            if values[clearsWeights] {
                let config = try await current(change.taskQueue, values[TaskQueueOptions.kind], client)
                change.unsetFairnessWeightOverrides = config.fairnessWeightOverrides.map(\.key)
            }
            let response: UpdateTaskQueueConfigResponse = try await client.call(.updateTaskQueueConfig, change)
            try show(response.config ?? TaskQueueConfig(), values)
        }
    }

    /// A new value, or none.
    enum Change: ExpressibleByArgument {
        case value(Float)
        case standard

        init?(argument: String) {
            if argument == "default" {
                self = .standard
                return
            }
            guard let value = Float(argument), value.isFinite, value >= 0 else { return nil }
            self = .value(value)
        }

        static var expectation: String { "a number, or default" }

        func update(_ reason: String?) -> UpdateTaskQueueConfigRequest.RateLimitUpdate {
            var update = UpdateTaskQueueConfigRequest.RateLimitUpdate()
            update.reason = reason ?? ""
            if case .value(let value) = self {
                var limit = RateLimit()
                limit.requestsPerSecond = value
                update.rateLimit = limit
            }
            return update
        }
    }

    /// The weight of a fairness key.
    struct KeyWeight: ExpressibleByArgument {
        let key: String
        let change: Change

        init?(argument: String) {
            guard let end = argument.lastIndex(of: "="),
                let change = Change(argument: String(argument[argument.index(after: end)...]))
            else { return nil }
            if case .value(let weight) = change, weight <= 0 { return nil }
            key = String(argument[..<end])
            self.change = change
        }

        static var expectation: String { "KEY=NUMBER with a number above 0, or KEY=default" }
    }

    /// - Throws: `UsageError` when nothing is to change.
    static func request(_ values: ParsedValues) throws(UsageError) -> UpdateTaskQueueConfigRequest {
        var request = UpdateTaskQueueConfigRequest()
        request.namespace = values[Places.namespace]
        request.identity = CommandIdentity.text
        request.taskQueue = try TaskQueueOptions.name(values)
        request.taskQueueType = values[TaskQueueOptions.kind].value
        request.updateQueueRateLimit = values[rateLimit]?.update(values[rateLimitReason])
        request.updateFairnessKeyRateLimitDefault = values[keyRateLimit]?.update(values[keyRateLimitReason])
        for weight in values[weights] {
            switch weight.change {
            case .value(let value): request.setFairnessWeightOverrides[weight.key] = value
            case .standard: request.unsetFairnessWeightOverrides.append(weight.key)
            }
        }
        if values[clearsWeights], !values[weights].isEmpty {
            throw UsageError("'--fairness-key-weight-clear-all' cannot be combined with '--fairness-key-weight'")
        }
        let limits = [request.updateQueueRateLimit, request.updateFairnessKeyRateLimitDefault]
        guard limits.contains(where: { $0 != nil }) || !values[weights].isEmpty || values[clearsWeights] else {
            throw UsageError("nothing to change", hint: "Set --queue-rps-limit, or --fairness-key-weight")
        }
        return request
    }

    private static func current(
        _ name: String,
        _ kind: TaskQueueOptions.Kind,
        _ client: ServiceClient
    ) async throws(CommandFailure) -> TaskQueueConfig {
        let queue = try await TaskQueueOptions.description(of: name, kind, client, reportsConfiguration: true)
        return queue.config ?? TaskQueueConfig()
    }

    private static func show(_ config: TaskQueueConfig, _ values: ParsedValues) throws {
        let format = values[OutputFormat.option]
        if format.isJSON {
            StandardOutput.show(format.text(of: try ProtobufJSON.value(of: config)))
        } else if config == TaskQueueConfig() {
            StandardOutput.show("No limits and no weights are set.\n")
        } else {
            var properties = Properties()
            properties.add(config, values[TimeFormat.option])
            StandardOutput.show(properties.text(title: "Configuration:", isColored: Color.isOn))
        }
    }
}
