internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// The options of `sagamore workflow start`, `execute` and `signal-with-start`.
enum StartOptions {
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
    static let cron = Option<String?>("--cron", valueName: "SCHEDULE", help: "Start a run at each time of a schedule.")
    static let startDelay = Option<PositiveDuration?>(
        "--start-delay",
        valueName: "DURATION",
        help: "How long the first workflow task waits, unless a signal arrives."
    )

    static let parameters = ServiceClient.parameters(
        NewWorkflowOptions.parameters + [idReusePolicy, idConflictPolicy, failsExisting, cron, startDelay]
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
        var request = try NewWorkflowOptions.request(values)
        request.workflowStartDelay = values[startDelay]?.message
        request.cronSchedule = values[cron] ?? ""
        if let policy = values[idReusePolicy] { request.workflowIDReusePolicy = policy.value }
        if let policy = values[idConflictPolicy] { request.workflowIDConflictPolicy = policy.value }
        return request
    }
}
