internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// `sagamore task-queue describe`.
enum TaskQueueDescription {
    static let kinds = Option<[TaskQueueOptions.Kind]>(
        "--task-queue-type",
        valueName: "TYPE",
        help: "Whose tasks. Default: both."
    )
    static let hasNoStatistics = Flag("--disable-stats", help: "Leave out how many tasks wait, and for how long.")
    static let reportsConfiguration = Flag("--report-config", help: "Show its limits and weights, too.")

    static let command = Command(
        "describe",
        abstract: "Show the workers of a task queue, and how many tasks wait for them.",
        discussion: """
            JSON has the protobuf JSON of a response for each type of task. Example:
            sagamore task-queue describe -t travel-booking --time-format relative
            """,
        parameters: ServiceClient.parameters([TaskQueueOptions.name, kinds, hasNoStatistics, reportsConfiguration])
    ) { values in
        let name = try TaskQueueOptions.name(values)
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            var descriptions: [(kind: TaskQueueOptions.Kind, response: DescribeTaskQueueResponse)] = []
            for kind in TaskQueueOptions.Kind.allCases where values[kinds].isEmpty || values[kinds].contains(kind) {
                let response = try await TaskQueueOptions.description(
                    of: name,
                    kind,
                    client,
                    reportsStatistics: !values[hasNoStatistics],
                    reportsConfiguration: values[reportsConfiguration]
                )
                descriptions.append((kind, response))
            }
            if format.isJSON {
                var object: JSONObject = ["taskQueue": .string(name)]
                for (kind, response) in descriptions {
                    object[kind.rawValue] = try ProtobufJSON.value(of: response)
                }
                StandardOutput.show(format.text(of: .object(object)))
            } else {
                let text = TaskQueueText(times: values[TimeFormat.option])
                StandardOutput.show(descriptions.map { text.text($0.response, $0.kind) }.joined(separator: "\n"))
            }
        }
    }
}

/// A task queue for people.
struct TaskQueueText {
    var times = TimeFormat.iso
    var lineWidth = TerminalWidth.ofStandardOutput
    var isColored = Color.isOn

    func text(_ queue: DescribeTaskQueueResponse, _ kind: TaskQueueOptions.Kind) -> String {
        var properties = Properties()
        if let statistics = queue.stats {
            properties.add("BacklogCount", String(statistics.approximateBacklogCount))
            let age = statistics.approximateBacklogAge
            properties.add("BacklogAge", age.flatMap { $0.seconds == 0 && $0.nanos == 0 ? nil : $0.text })
            properties.add("TasksAddRate", Self.rate(statistics.tasksAddRate))
            properties.add("TasksDispatchRate", Self.rate(statistics.tasksDispatchRate))
            properties.add("RateLimited", statistics.rateLimitingActive ? "true" : nil, color: .yellow)
        }
        properties.add("RateLimit", queue.effectiveRateLimit.map { Self.rate($0.requestsPerSecond) })
        if let config = queue.config { properties.add(config, times) }
        properties.add("Pollers", String(queue.pollers.count), color: queue.pollers.isEmpty ? .yellow : nil)
        let title = kind == .workflow ? "Workflow Tasks:" : "Activity Tasks:"
        let text = properties.text(title: title, isColored: isColored)
        guard !queue.pollers.isEmpty else { return text }
        var table = StreamingTable(
            [
                .init(title: "Identity", width: 24), .init(title: "LastAccessTime", width: 20),
                .init(title: "RatePerSecond", width: 0),
            ],
            lineWidth: lineWidth
        )
        let header = table.header(colors: isColored)
        let rows = queue.pollers.map { poller in
            let time = poller.lastAccessTime.map { times.text($0, .seconds) } ?? ""
            let cells = [poller.identity, time, Self.rate(Float(poller.ratePerSecond))]
            return table.row(cells, colors: [:], isColored: isColored)
        }
        return text + header + rows.joined()
    }

    /// `12.5/s`.
    static func rate(_ value: Float) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() && rounded < 1e9 ? "\(Int64(rounded))/s" : "\(rounded)/s"
    }
}

extension Properties {
    /// The limits and weights of a task queue.
    mutating func add(_ config: TaskQueueConfig, _ times: TimeFormat) {
        func add(_ name: String, _ limit: RateLimitConfig?) {
            guard let limit, let rate = limit.rateLimit else { return }
            let why = [
                limit.metadata?.reason ?? "", limit.metadata?.updateIdentity ?? "",
                limit.metadata?.updateTime.map { times.text($0) } ?? "",
            ]
            let note = why.filter { !$0.isEmpty }.joined(separator: ", ")
            self.add(name, TaskQueueText.rate(rate.requestsPerSecond) + (note.isEmpty ? "" : " (\(note))"))
        }
        add("QueueRateLimit", config.queueRateLimit)
        add("FairnessKeyRateLimit", config.fairnessKeysRateLimitDefault)
        let weights = config.fairnessWeightOverrides.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        self.add("FairnessWeights", weights.joined(separator: ", "))
    }
}
