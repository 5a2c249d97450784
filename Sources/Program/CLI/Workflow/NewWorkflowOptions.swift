internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// The options that describe a workflow to start, at once or by a schedule.
enum NewWorkflowOptions {
    static let workflowType = Option<String>("--type", "--name", valueName: "TYPE", help: "The workflow's type.")
    static let taskQueue = Option<String>("--task-queue", "-t", valueName: "NAME", help: "The queue of its workers.")
    static let workflowID = Option<String?>(
        "--workflow-id",
        "-w",
        valueName: "ID",
        help: "The workflow's id. Default: a new one."
    )
    static let executionTimeout = Option<PositiveDuration?>(
        "--execution-timeout",
        valueName: "DURATION",
        help: "How long the workflow may take with all its runs."
    )
    static let runTimeout = Option<PositiveDuration?>(
        "--run-timeout",
        valueName: "DURATION",
        help: "How long a run may take."
    )
    static let taskTimeout = Option<PositiveDuration?>(
        "--task-timeout",
        valueName: "DURATION",
        help: "How long a worker may take for a workflow task. The server's default: 10s."
    )
    static let memo = Option<[NamedJSON]>("--memo", valueName: "KEY=JSON", help: "A value for the workflow's memo.")
    static let searchAttributes = Option<[NamedJSON]>(
        "--search-attribute",
        valueName: "KEY=JSON",
        help: "A search attribute, which 'sagamore operator search-attribute' knows."
    )
    static let headers = Option<[NamedJSON]>("--headers", valueName: "KEY=JSON", help: "A header for its code.")
    static let priority = Option<Int?>("--priority-key", valueName: "NUMBER", help: "The priority, 1 (first) to 5.")
    static let fairnessKey = Option<String?>(
        "--fairness-key",
        valueName: "KEY",
        help: "Tasks of different keys take turns in their queue."
    )
    static let fairnessWeight = Option<Double?>(
        "--fairness-weight",
        valueName: "NUMBER",
        help: "The share of the fairness key, 0.001 to 1000."
    )
    static let summary = Option<String?>("--static-summary", valueName: "TEXT", help: "What it is, in a line.")
    static let details = Option<String?>("--static-details", valueName: "TEXT", help: "What it is, at length.")

    static let parameters: [any Parameter] =
        [workflowType, taskQueue, workflowID] + InputOptions.own.parameters + [
            executionTimeout, runTimeout, taskTimeout, memo, searchAttributes, headers, priority, fairnessKey,
            fairnessWeight, summary, details,
        ]

    /// - Throws: `UsageError`, and `CommandFailure` for a file that cannot be read.
    static func request(_ values: ParsedValues) throws -> StartWorkflowExecutionRequest {
        var request = StartWorkflowExecutionRequest()
        request.namespace = values[Places.namespace]
        request.requestID = CommandIdentity.newID()
        request.identity = CommandIdentity.text
        request.workflowID = values[workflowID] ?? CommandIdentity.newID()
        if request.workflowID.isEmpty { throw UsageError("'--workflow-id' must not be empty") }
        var type = WorkflowType()
        type.name = values[workflowType]
        request.workflowType = type
        request.taskQueue = .named(values[taskQueue])
        request.input = try InputOptions.own.payloads(values)
        request.workflowExecutionTimeout = values[executionTimeout]?.message
        request.workflowRunTimeout = values[runTimeout]?.message
        request.workflowTaskTimeout = values[taskTimeout]?.message
        request.memo = try memo(values[memo], option: "--memo")
        request.searchAttributes = try attributes(values[searchAttributes], option: "--search-attribute")
        request.header = try header(values)
        request.priority = try priority(values)
        if values[summary] != nil || values[details] != nil {
            var message = UserMetadata()
            message.summary = values[summary].map { Payload(text: $0) }
            message.details = values[details].map { Payload(text: $0) }
            request.userMetadata = RawMessage(message)
        }
        return request
    }

    /// Nil when there are no values.
    static func memo(_ values: [NamedJSON], option: String) throws(UsageError) -> RawMessage<Memo>? {
        guard !values.isEmpty else { return nil }
        var message = Memo()
        message.fields = try NamedJSON.payloads(values, option: option)
        return RawMessage(message)
    }

    /// Nil when there are no values.
    static func attributes(
        _ values: [NamedJSON],
        option: String
    ) throws(UsageError) -> RawMessage<SearchAttributes>? {
        guard !values.isEmpty else { return nil }
        var message = SearchAttributes()
        message.indexedFields = try NamedJSON.payloads(values, option: option)
        return RawMessage(message)
    }

    /// Nil when there are no headers.
    static func header(_ values: ParsedValues) throws(UsageError) -> RawMessage<Header>? {
        guard !values[headers].isEmpty else { return nil }
        var message = Header()
        message.fields = try NamedJSON.payloads(values[headers], option: "--headers")
        return RawMessage(message)
    }

    private static func priority(_ values: ParsedValues) throws(UsageError) -> Priority? {
        let (key, fairness, weight) = (values[priority], values[fairnessKey], values[fairnessWeight])
        guard key != nil || fairness != nil || weight != nil else { return nil }
        var message = Priority()
        if let key {
            guard (1...5).contains(key) else { throw UsageError("'--priority-key' expects a number from 1 to 5") }
            message.priorityKey = Int32(key)
        }
        message.fairnessKey = fairness ?? ""
        if let weight {
            guard (0.001...1_000).contains(weight) else {
                throw UsageError("'--fairness-weight' expects a number from 0.001 to 1000")
            }
            message.fairnessWeight = Float(weight)
        }
        return message
    }
}

extension TaskQueue {
    /// The queue of workers with this name.
    static func named(_ name: String) -> TaskQueue {
        var queue = TaskQueue()
        queue.name = name
        queue.kind = .normal
        return queue
    }
}
