internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// The options that describe a schedule: its times, its workflow, its policies and its state.
enum ScheduleOptions {
    static let scheduleID = Option<String>("--schedule-id", "-s", valueName: "ID", help: "The schedule.")
    static let overlapPolicy = Option<OverlapPolicy>(
        "--overlap-policy",
        valueName: "POLICY",
        default: .skip,
        help: "What happens when the workflow of an earlier time is still running."
    )
    static let catchupWindow = Option<PositiveDuration?>(
        "--catchup-window",
        valueName: "DURATION",
        help: "How late a time is made up for after the service was away."
    )
    static let pausesOnFailure = Flag("--pause-on-failure", help: "Pause when a workflow fails or times out.")
    static let notes = Option<String?>("--notes", valueName: "TEXT", help: "Notes for people.")
    static let isPaused = Flag("--paused", help: "Start nothing until it is unpaused.")
    static let remainingActions = Option<Int?>(
        "--remaining-actions",
        valueName: "NUMBER",
        help: "How many workflows to start at most. Default: no limit."
    )

    static let parameters: [any Parameter] =
        [scheduleID] + ScheduleTimes.parameters + NewWorkflowOptions.parameters + [
            overlapPolicy, catchupWindow, pausesOnFailure, notes, isPaused, remainingActions,
        ]

    /// What happens when the workflow of an earlier time is still running.
    enum OverlapPolicy: String, CaseIterable, ExpressibleByArgument {
        case skip = "Skip"
        case bufferOne = "BufferOne"
        case bufferAll = "BufferAll"
        case cancelOther = "CancelOther"
        case terminateOther = "TerminateOther"
        case allowAll = "AllowAll"

        var value: ScheduleOverlapPolicy {
            switch self {
            case .skip: .skip
            case .bufferOne: .bufferOne
            case .bufferAll: .bufferAll
            case .cancelOther: .cancelOther
            case .terminateOther: .terminateOther
            case .allowAll: .allowAll
            }
        }
    }

    static func id(_ values: ParsedValues) throws(UsageError) -> String {
        guard !values[scheduleID].isEmpty else { throw UsageError("'--schedule-id' must not be empty") }
        return values[scheduleID]
    }

    /// - Throws: `UsageError`, and `CommandFailure` for a file that cannot be read.
    static func schedule(_ values: ParsedValues) throws -> Schedule {
        var schedule = Schedule()
        schedule.spec = try ScheduleTimes.spec(values)
        var action = ScheduleAction()
        action.action = .startWorkflow(NewWorkflowExecutionInfo(try NewWorkflowOptions.request(values)))
        schedule.action = action
        var policies = SchedulePolicies()
        policies.overlapPolicy = values[overlapPolicy].value
        policies.catchupWindow = values[catchupWindow]?.message
        policies.pauseOnFailure = values[pausesOnFailure]
        schedule.policies = policies
        schedule.state = try state(values)
        return schedule
    }

    private static func state(_ values: ParsedValues) throws(UsageError) -> ScheduleState {
        let actions = values[remainingActions] ?? 0
        guard actions >= 0 else { throw UsageError("'--remaining-actions' expects a number, or 0 for no limit") }
        var state = ScheduleState()
        state.notes = values[notes] ?? ""
        state.paused = values[isPaused]
        state.limitedActions = actions > 0
        state.remainingActions = Int64(actions)
        return state
    }
}

extension NewWorkflowExecutionInfo {
    /// What a schedule starts. It has no policy for an id that is used, since each workflow gets an id of its own.
    init(_ start: StartWorkflowExecutionRequest) {
        self.init()
        workflowID = start.workflowID
        workflowType = start.workflowType
        taskQueue = start.taskQueue
        input = start.input
        workflowExecutionTimeout = start.workflowExecutionTimeout
        workflowRunTimeout = start.workflowRunTimeout
        workflowTaskTimeout = start.workflowTaskTimeout
        memo = start.memo
        searchAttributes = start.searchAttributes
        header = start.header
        userMetadata = start.userMetadata
        priority = start.priority
    }
}
