internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// The options of `sagamore workflow start` and `execute`.
enum StartOptions {
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
    static let idReusePolicy = Option<IDReusePolicy?>(
        "--id-reuse-policy",
        valueName: "POLICY",
        help: "Whether the id of a closed workflow may be used again."
    )
    static let idConflictPolicy = Option<IDConflictPolicy?>(
        "--id-conflict-policy",
        valueName: "POLICY",
        help: "What happens when a workflow with the id is running."
    )
    static let failsExisting = Flag("--fail-existing", help: "Fail if the workflow exists, instead of naming its run.")
    static let memo = Option<[NamedJSON]>("--memo", valueName: "KEY=JSON", help: "A value for the workflow's memo.")
    static let searchAttributes = Option<[NamedJSON]>(
        "--search-attribute",
        valueName: "KEY=JSON",
        help: "A search attribute, which 'sagamore operator search-attribute' knows."
    )
    static let cron = Option<String?>("--cron", valueName: "SCHEDULE", help: "Start a run at each time of a schedule.")
    static let startDelay = Option<PositiveDuration?>(
        "--start-delay",
        valueName: "DURATION",
        help: "How long the first workflow task waits, unless a signal arrives."
    )
    static let priority = Option<Int?>("--priority-key", valueName: "NUMBER", help: "The priority, 1 (first) to 5.")
    static let summary = Option<String?>("--static-summary", valueName: "TEXT", help: "What it is, in a line.")
    static let details = Option<String?>("--static-details", valueName: "TEXT", help: "What it is, at length.")

    static let parameters = ServiceClient.parameters(
        [workflowType, taskQueue, workflowID] + InputOptions.parameters + [
            executionTimeout, runTimeout, taskTimeout, idReusePolicy, idConflictPolicy, failsExisting, memo,
            searchAttributes, cron, startDelay, priority, summary, details,
        ]
    )

    /// Whether a workflow id that was used may be used again.
    enum IDReusePolicy: String, CaseIterable, ExpressibleByArgument {
        case allowDuplicate = "AllowDuplicate"
        case allowDuplicateFailedOnly = "AllowDuplicateFailedOnly"
        case rejectDuplicate = "RejectDuplicate"
        case terminateIfRunning = "TerminateIfRunning"

        var value: WorkflowIdReusePolicy {
            switch self {
            case .allowDuplicate: .allowDuplicate
            case .allowDuplicateFailedOnly: .allowDuplicateFailedOnly
            case .rejectDuplicate: .rejectDuplicate
            case .terminateIfRunning: .terminateIfRunning
            }
        }
    }

    /// What a start does when a workflow with the id is running.
    enum IDConflictPolicy: String, CaseIterable, ExpressibleByArgument {
        case fail = "Fail"
        case useExisting = "UseExisting"
        case terminateExisting = "TerminateExisting"

        var value: WorkflowIdConflictPolicy {
            switch self {
            case .fail: .fail
            case .useExisting: .useExisting
            case .terminateExisting: .terminateExisting
            }
        }
    }

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
        var queue = TaskQueue()
        queue.name = values[taskQueue]
        queue.kind = .normal
        request.taskQueue = queue
        request.input = try InputOptions.payloads(values)
        request.workflowExecutionTimeout = values[executionTimeout]?.message
        request.workflowRunTimeout = values[runTimeout]?.message
        request.workflowTaskTimeout = values[taskTimeout]?.message
        request.workflowStartDelay = values[startDelay]?.message
        request.cronSchedule = values[cron] ?? ""
        if let policy = values[idReusePolicy] { request.workflowIDReusePolicy = policy.value }
        if let policy = values[idConflictPolicy] { request.workflowIDConflictPolicy = policy.value }
        try describe(&request, values)
        return request
    }

    /// What is told about the workflow, and its priority.
    private static func describe(
        _ request: inout StartWorkflowExecutionRequest,
        _ values: ParsedValues
    ) throws(UsageError) {
        if !values[memo].isEmpty {
            var message = Memo()
            message.fields = try NamedJSON.payloads(values[memo], option: "--memo")
            request.memo = RawMessage(message)
        }
        if !values[searchAttributes].isEmpty {
            var message = SearchAttributes()
            message.indexedFields = try NamedJSON.payloads(values[searchAttributes], option: "--search-attribute")
            request.searchAttributes = RawMessage(message)
        }
        if let key = values[priority] {
            guard (1...5).contains(key) else { throw UsageError("'--priority-key' expects a number from 1 to 5") }
            var message = Priority()
            message.priorityKey = Int32(key)
            request.priority = message
        }
        if values[summary] != nil || values[details] != nil {
            var message = UserMetadata()
            message.summary = values[summary].map { Payload(text: $0) }
            message.details = values[details].map { Payload(text: $0) }
            request.userMetadata = RawMessage(message)
        }
    }
}
