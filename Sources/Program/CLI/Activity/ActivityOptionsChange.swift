internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore activity update-options`.
enum ActivityOptionsChange {
    static let taskQueue = Option<String?>("--task-queue", valueName: "NAME", help: "The queue of its workers.")
    static let scheduleToClose = Option<PositiveDuration?>(
        "--schedule-to-close-timeout",
        valueName: "DURATION",
        help: "How long it may take with all attempts."
    )
    static let scheduleToStart = Option<PositiveDuration?>(
        "--schedule-to-start-timeout",
        valueName: "DURATION",
        help: "How long an attempt may wait for a worker."
    )
    static let startToClose = Option<PositiveDuration?>(
        "--start-to-close-timeout",
        valueName: "DURATION",
        help: "How long an attempt may take."
    )
    static let heartbeat = Option<PositiveDuration?>(
        "--heartbeat-timeout",
        valueName: "DURATION",
        help: "How long an attempt may be silent."
    )
    static let initialInterval = Option<PositiveDuration?>(
        "--retry-initial-interval",
        valueName: "DURATION",
        help: "The pause before the second attempt."
    )
    static let maximumInterval = Option<PositiveDuration?>(
        "--retry-maximum-interval",
        valueName: "DURATION",
        help: "The longest pause between attempts."
    )
    static let backoff = Option<Double?>(
        "--retry-backoff-coefficient",
        valueName: "NUMBER",
        help: "By how much each pause is longer than the one before, at least 1."
    )
    static let maximumAttempts = Option<Int?>(
        "--retry-maximum-attempts",
        valueName: "NUMBER",
        help: "How often it is tried; 0 for no limit."
    )

    static let command = Command(
        "update-options",
        abstract: "Change the options of an activity, or of those of all runs that match a filter.",
        discussion: """
            What is not given stays. JSON is the protobuf JSON of the options. Example:
            sagamore activity update-options -w trip-1 -a book_car --start-to-close-timeout 5m
            """,
        parameters: ActivityTarget.parameters([
            taskQueue, scheduleToClose, scheduleToStart, startToClose, heartbeat, initialInterval, maximumInterval,
            backoff, maximumAttempts, ActivityOperations.restoresOptions,
        ])
    ) { values in
        let change = try change(values)
        switch try ActivityTarget(values) {
        case .activity(let id, let workflow):
            var request = UpdateActivityOptionsRequest()
            request.namespace = values[Places.namespace]
            request.execution = workflow
            request.activity = .id(id)
            request.activityOptions = change?.options
            request.updateMask = change?.mask
            request.restoreOriginal = change == nil
            request.identity = CommandIdentity.text
            try await update(request, values)
        case .runs(let query):
            var operation = BatchOperationUpdateActivityOptions()
            operation.identity = CommandIdentity.text
            operation.activity = .matchAll(true)
            operation.activityOptions = change?.options
            operation.updateMask = change?.mask
            operation.restoreOriginal = change == nil
            let reason = values[WorkflowEnding.batchReason]
            try await BatchStart(query, .updateActivityOptionsOperation(operation), reason: reason, values).run()
        }
    }

    /// New options, and which of them are meant.
    struct Change {
        var options = ActivityOptions()
        var mask = ProtobufFieldMask(paths: [])

        fileprivate mutating func add<Value>(
            _ path: String,
            _ value: Value?,
            _ set: (inout ActivityOptions, Value) -> Void
        ) {
            guard let value else { return }
            set(&options, value)
            mask.paths.append(path)
        }
    }

    /// Nil for the options that an activity was scheduled with.
    static func change(_ values: ParsedValues) throws(UsageError) -> Change? {
        var change = Change()
        change.add("task_queue.name", values[taskQueue]) { $0.taskQueue = .named($1) }
        change.add("schedule_to_close_timeout", values[scheduleToClose]?.message) { $0.scheduleToCloseTimeout = $1 }
        change.add("schedule_to_start_timeout", values[scheduleToStart]?.message) { $0.scheduleToStartTimeout = $1 }
        change.add("start_to_close_timeout", values[startToClose]?.message) { $0.startToCloseTimeout = $1 }
        change.add("heartbeat_timeout", values[heartbeat]?.message) { $0.heartbeatTimeout = $1 }
        try addRetries(values, to: &change)
        let isEmpty = change.mask.paths.isEmpty
        if values[ActivityOperations.restoresOptions] {
            guard isEmpty else {
                throw UsageError("'--restore-original-options' cannot be combined with new options")
            }
            return nil
        }
        guard !isEmpty else {
            throw UsageError("nothing to change", hint: "Set a timeout, a --retry option or --restore-original-options")
        }
        return change
    }

    private static func addRetries(_ values: ParsedValues, to change: inout Change) throws(UsageError) {
        if let coefficient = values[backoff], coefficient < 1 {
            throw UsageError("'--retry-backoff-coefficient' expects a number from 1 on")
        }
        let attempts = values[maximumAttempts].map { Int32(exactly: $0) ?? -1 }
        if let attempts, attempts < 0 {
            throw UsageError("'--retry-maximum-attempts' expects a number, or 0 for no limit")
        }
        func add<Value>(_ name: String, _ value: Value?, _ set: (inout RetryPolicy, Value) -> Void) {
            change.add("retry_policy.\(name)", value) { options, value in
                var policy = options.retryPolicy ?? RetryPolicy()
                set(&policy, value)
                options.retryPolicy = policy
            }
        }
        add("initial_interval", values[initialInterval]?.message) { $0.initialInterval = $1 }
        add("maximum_interval", values[maximumInterval]?.message) { $0.maximumInterval = $1 }
        add("backoff_coefficient", values[backoff]) { $0.backoffCoefficient = $1 }
        add("maximum_attempts", attempts) { $0.maximumAttempts = $1 }
    }

    private static func update(_ request: UpdateActivityOptionsRequest, _ values: ParsedValues) async throws {
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let response: UpdateActivityOptionsResponse = try await client.call(.updateActivityOptions, request)
            let options = response.activityOptions ?? ActivityOptions()
            StandardOutput.show(
                try format.isJSON ? format.text(of: ProtobufJSON.value(of: options)) : text(options)
            )
        }
    }

    static func text(_ options: ActivityOptions, isColored: Bool = Color.isOn) -> String {
        var properties = Properties()
        properties.add("TaskQueue", options.taskQueue?.name)
        properties.add("ScheduleToCloseTimeout", options.scheduleToCloseTimeout?.text)
        properties.add("ScheduleToStartTimeout", options.scheduleToStartTimeout?.text)
        properties.add("StartToCloseTimeout", options.startToCloseTimeout?.text)
        properties.add("HeartbeatTimeout", options.heartbeatTimeout?.text)
        properties.add("InitialInterval", options.retryPolicy?.initialInterval?.text)
        properties.add("BackoffCoefficient", options.retryPolicy.map { "\($0.backoffCoefficient)" })
        properties.add("MaximumInterval", options.retryPolicy?.maximumInterval?.text)
        properties.add("MaximumAttempts", options.retryPolicy.map { "\($0.maximumAttempts)" })
        return properties.text(title: "Activity options:", isColored: isColored)
    }
}
