public import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// A definition as clients gave it, checked and brought into its canonical form.
public struct ScheduleDefinition: Sendable {
    /// The canonical form.
    public let schedule: Schedule
    /// The times that it names.
    public let times: ScheduleTimes

    /// Checks a definition.
    ///
    /// - Parameters:
    ///   - id: the schedule's id.
    ///   - catalog: the search attributes that its namespace knows.
    /// - Throws: `invalidArgument` in Temporal's words.
    public init(
        _ given: Schedule,
        id: String,
        attributes catalog: SearchAttributeCatalog,
        limits: Limits
    ) throws(RequestError) {
        var schedule = given
        do throws(SpecError) {
            let spec = try (given.spec ?? ScheduleSpec()).canonical()
            times = try ScheduleTimes(spec, seed: id, limits.timeZones)
            schedule.spec = spec
        } catch {
            throw error.asRequestError
        }
        if case .startWorkflow(var workflow)? = given.action?.action {
            try Self.check(workflow, catalog, limits)
            workflow.taskQueue?.kind = .normal
            schedule.action?.action = .startWorkflow(workflow)
        } else {
            schedule.action = ScheduleAction()
        }
        var policies = given.policies ?? SchedulePolicies()
        if policies.overlapPolicy == .unspecified { policies.overlapPolicy = .skip }
        let window = policies.catchupWindow.map { Interval(nanoseconds: $0.signedNanoseconds) }
        policies.catchupWindow = max(window ?? ScheduleRecord.defaultCatchUp, ScheduleRecord.shortestCatchUp).duration
        schedule.policies = policies
        let state = given.state ?? ScheduleState()
        guard state.remainingActions >= 0 else { throw .invalidArgument("remaining_actions must not be negative") }
        schedule.state = state
        self.schedule = schedule
    }

    private static func check(
        _ workflow: NewWorkflowExecutionInfo,
        _ catalog: SearchAttributeCatalog,
        _ limits: Limits
    ) throws(RequestError) {
        // With the longest id that its runs will have.
        let id = "\(workflow.workflowID)-\(Instant(nanoseconds: 0).secondText)"
        _ = try StartRequest(workflow.startRequest(workflowID: id), attributes: catalog, limits: limits)
        if !workflow.cronSchedule.isEmpty {
            throw .invalidArgument("Scheduled workflow must not contain CronSchedule")
        }
        switch workflow.workflowIDReusePolicy {
        case .unspecified, .allowDuplicate: break
        default: throw .invalidArgument("Scheduled workflow must not contain WorkflowIDReusePolicy")
        }
    }
}

extension NewWorkflowExecutionInfo {
    /// The start of a run.
    func startRequest(workflowID: String) -> StartWorkflowExecutionRequest {
        var request = StartWorkflowExecutionRequest()
        request.workflowID = workflowID
        request.workflowType = workflowType
        request.taskQueue = taskQueue
        request.input = input
        request.workflowExecutionTimeout = workflowExecutionTimeout
        request.workflowRunTimeout = workflowRunTimeout
        request.workflowTaskTimeout = workflowTaskTimeout
        request.retryPolicy = retryPolicy
        request.memo = memo
        request.searchAttributes = searchAttributes
        request.header = header
        request.userMetadata = userMetadata
        request.priority = priority
        return request
    }
}

extension SpecError {
    var asRequestError: RequestError { .invalidArgument("Invalid schedule spec: \(problem)") }
}
