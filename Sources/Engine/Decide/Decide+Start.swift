public import SagamoreAPI
internal import SagamoreProtobuf

/// A start: the contract's request, validated and completed with defaults.
public final class StartRequest: Sendable {
    /// The request, completed with defaults.
    public let request: StartWorkflowExecutionRequest
    /// The Kafka command that caused it; nil for gRPC.
    public let origin: CommandOrigin?
    /// Where the run stands in its chain and its tree.
    public let lineage: Lineage
    /// What is to be done on the run that starts, or on the one that runs already, in the same decision.
    public let signal: SignalRequest?
    /// The schedule of a chain that begins with this run.
    let schedule: CronSchedule?

    /// Validates a start.
    ///
    /// - Parameter catalog: the search attributes that its namespace knows; nil: all.
    /// - Throws: `invalidArgument` naming the field.
    public init(
        _ request: StartWorkflowExecutionRequest,
        origin: CommandOrigin? = nil,
        lineage: Lineage = Lineage(),
        signal: SignalRequest? = nil,
        attributes catalog: SearchAttributeCatalog? = nil,
        limits: Limits
    ) throws(RequestError) {
        try checkIdentifier(
            request.workflowID,
            "WorkflowId",
            missing: "WorkflowId is not set on request.",
            tooLong: "WorkflowId exceeds maximum allowed length "
                + "(\(request.workflowID.utf8.count)/\(limits.identifierLength))",
            limits
        )
        let type = request.workflowType?.name ?? ""
        try checkIdentifier(type, "WorkflowType", missing: "WorkflowType is not set on request.", limits)
        try checkTaskQueue(request.taskQueue, limits)
        try checkIdentifier(request.requestID, "RequestId", missing: nil, limits)
        try checkTimeout(request.workflowExecutionTimeout, "WorkflowExecutionTimeout")
        try checkTimeout(request.workflowRunTimeout, "WorkflowRunTimeout")
        try checkTimeout(request.workflowTaskTimeout, "WorkflowTaskTimeout")
        try checkTimeout(request.workflowStartDelay, "WorkflowStartDelay")
        try checkSize(request.input?.bytes.count, limits)
        try checkMemo(request.memo, limits)
        try checkSearchAttributes(request.searchAttributes, catalog, limits)
        try checkPolicies(request)
        try checkPriority(request.priority)
        try checkAttachments(request)
        if let policy = request.retryPolicy, let problem = RetryRules.problem(policy) {
            throw .invalidArgument(problem)
        }
        schedule = try checkSchedule(request, limits)
        var request = request
        if let catalog, let given = request.searchAttributes { request.searchAttributes = catalog.typed(given) }
        self.request = request
        self.origin = origin
        self.lineage = lineage
        self.signal = signal
    }

    /// The start of a run that follows another one, whose decision has validated it.
    init(following request: StartWorkflowExecutionRequest, origin: CommandOrigin?, lineage: Lineage) {
        self.request = request
        self.origin = origin
        self.lineage = lineage
        signal = nil
        schedule = nil
    }

    /// Whether the start ends a run of the workflow that is open.
    public var terminatesExisting: Bool {
        request.workflowIDReusePolicy == .terminateIfRunning || request.workflowIDConflictPolicy == .terminateExisting
    }
}

extension Execution {
    /// Starts a run on the empty execution of `init(key:runID:)`.
    ///
    /// - Parameter isEager: whether the answer may hold the first workflow task, if one is due at once.
    public func decide(_ start: StartRequest, isEager: Bool = false, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        let request = start.request
        let executionTimeout = Interval(request.workflowExecutionTimeout)
        let runTimeout = Interval(request.workflowRunTimeout).capped(by: executionTimeout)
        let taskTimeout = Interval(request.workflowTaskTimeout)
        let backoff = firstTaskBackoff(of: start, at: now)

        var attributes = WorkflowExecutionStartedEventAttributes()
        attributes.workflowType = request.workflowType
        attributes.workflowID = request.workflowID
        var queue = TaskQueue()
        queue.name = request.taskQueue?.name ?? ""
        queue.kind = .normal
        attributes.taskQueue = queue
        attributes.input = request.input
        if executionTimeout.isSet { attributes.workflowExecutionTimeout = executionTimeout.duration }
        // Continue-as-new says that there is no limit, and a start by a client says nothing.
        let saysNone = start.lineage.continuedRunID != nil && request.workflowRunTimeout != nil
        if runTimeout.isSet || saysNone || start.lineage.parent != nil {
            attributes.workflowRunTimeout = runTimeout.duration
        }
        attributes.workflowTaskTimeout = Interval.startedTaskTimeout(taskTimeout, runTimeout: runTimeout).duration
        attributes.originalExecutionRunID = runID.description
        attributes.identity = request.identity
        if executionTimeout.isSet {
            let expiration = start.lineage.expiration ?? now + executionTimeout
            attributes.workflowExecutionExpirationTime = expiration.timestamp
        }
        if backoff.isSet || start.lineage.continuedRunID == nil {
            attributes.firstWorkflowTaskBackoff = backoff.duration
        }
        attributes.retryPolicy = request.retryPolicy.map(RetryRules.withDefaults)
        attributes.cronSchedule = request.cronSchedule
        write(start.lineage, to: &attributes)
        if start.schedule != nil { attributes.initiator = .cronSchedule }
        attributes.eagerExecutionAccepted = isEager && !backoff.isSet
        attributes.memo = request.memo
        attributes.searchAttributes = request.searchAttributes
        attributes.header = request.header
        attributes.priority = request.priority
        attributes.continuedFailure = start.lineage.lastFailure ?? request.continuedFailure
        attributes.lastCompletionResult = start.lineage.lastCompletionResult ?? request.lastCompletionResult
        // Before the first event: a fact after it names the start's own request.
        for id in start.lineage.messageIDs { draft.fact(.requestSeen(id)) }
        draft.event(
            .workflowExecutionStarted,
            .workflowExecutionStartedEventAttributes(attributes),
            userMetadata: request.userMetadata,
            links: request.links
        )
        if !request.requestID.isEmpty { draft.fact(.requestSeen(request.requestID)) }
        if let schedule = start.lineage.schedule { draft.fact(.scheduled(schedule)) }
        if let origin = start.origin { accept(origin, start, in: &draft) }
        if let signal = start.signal { write(signal, in: &draft) }
        if !backoff.isSet {
            var scheduled = WorkflowTaskScheduledEventAttributes()
            scheduled.taskQueue = queue
            scheduled.startToCloseTimeout = attributes.workflowTaskTimeout
            scheduled.attempt = 1
            let event = draft.event(.workflowTaskScheduled, .workflowTaskScheduledEventAttributes(scheduled))
            let stamp = WorkflowTaskStamp(scheduledEventID: event.id, attempt: 1)
            let route = TaskRoute(queue: queue.name, priority: TaskPriority(request.priority))
            draft.decision.offers.append(.workflow(route: route, stickyQueue: "", stamp: stamp))
        }
        return draft.decision
    }

    private func firstTaskBackoff(of start: StartRequest, at now: Instant) -> Interval {
        if let schedule = start.schedule { return schedule.backoff(since: now, at: now) ?? .zero }
        return max(Interval(start.request.workflowStartDelay), start.lineage.firstTaskBackoff)
    }

    /// Publishes that the command was accepted, once for all runs of the chain that it starts.
    private func accept(_ origin: CommandOrigin, _ start: StartRequest, in draft: inout Draft) {
        let published = start.lineage.publishedStatusEvents
        guard published == 0 else {
            return draft.fact(.commandInherited(origin, publishedStatusEvents: published))
        }
        draft.fact(.commandAccepted(origin))
        draft.decision.statusEvents.append(
            StatusEvent(
                origin: origin,
                status: .accepted,
                sequence: 1,
                workflowID: key.workflowID,
                workflowType: start.request.workflowType?.name ?? "",
                runID: runID,
                at: draft.now
            )
        )
    }

    private func write(_ lineage: Lineage, to attributes: inout WorkflowExecutionStartedEventAttributes) {
        attributes.firstExecutionRunID = (lineage.firstRunID ?? runID).description
        attributes.attempt = lineage.attempt
        attributes.initiator = lineage.initiator
        attributes.continuedExecutionRunID = lineage.continuedRunID?.description ?? ""
        attributes.prevAutoResetPoints = lineage.resetPoints
        if let parent = lineage.parent {
            attributes.parentWorkflowNamespace = parent.namespaceName
            attributes.parentWorkflowNamespaceID = parent.namespaceID
            attributes.parentWorkflowExecution = WorkflowExecution(parent.workflowID, parent.runID)
            attributes.parentInitiatedEventID = parent.initiatedEventID
        }
        if let root = lineage.root {
            attributes.rootWorkflowExecution = WorkflowExecution(root.workflowID, root.runID)
        }
    }
}

extension WorkflowExecution {
    init(_ workflowID: String, _ runID: RunID) {
        self.init()
        self.workflowID = workflowID
        self.runID = runID.description
    }
}

/// Temporal's maximum, 120 s.
let maximumTaskTimeout = Interval.seconds(120)

extension Interval {
    /// The timeout for one workflow task of a run: Temporal's default is 10 s.
    static func startedTaskTimeout(_ wished: Interval, runTimeout: Interval) -> Interval {
        (wished.isSet ? min(wished, maximumTaskTimeout) : .seconds(10)).capped(by: runTimeout)
    }
}

/// Rejects an identifier that is missing (where it is required), too long for an index, or contains NUL.
public func checkIdentifier(
    _ text: String,
    _ field: String,
    missing: String?,
    tooLong: @autoclosure () -> String? = nil,
    _ limits: Limits
) throws(RequestError) {
    if text.isEmpty {
        guard let missing else { return }
        throw .invalidArgument(missing)
    }
    if text.utf8.count > limits.identifierLength {
        throw .invalidArgument(tooLong() ?? "\(field) length exceeds limit.")
    }
    if text.holdsNUL { throw .invalidArgument("\(field) must not contain NUL.") }
}

/// Rejects a task queue that is missing or has a reserved name.
public func checkTaskQueue(_ queue: TaskQueue?, _ limits: Limits) throws(RequestError) {
    guard let queue else { throw .invalidArgument("taskQueue is not set") }
    let (name, missing) = (queue.name, "missing task queue name")
    try checkIdentifier(name, "taskQueue", missing: missing, tooLong: "taskQueue length exceeds limit", limits)
    if name.hasPrefix(reservedQueuePrefix) {
        throw .invalidArgument("task queue name cannot start with reserved prefix \(reservedQueuePrefix)")
    }
}

/// The prefix of reserved names.
let reservedQueuePrefix = "/_sys/"

/// Rejects contradictory policies for a workflow id in use.
private func checkPolicies(_ request: StartWorkflowExecutionRequest) throws(RequestError) {
    let (reuse, conflict) = (request.workflowIDReusePolicy, request.workflowIDConflictPolicy)
    let invalid = "Invalid WorkflowIDReusePolicy: \(reuse) cannot be used together with"
    if reuse == .terminateIfRunning, conflict != .unspecified {
        throw .invalidArgument("\(invalid) a WorkflowIDConflictPolicy")
    }
    if reuse == .rejectDuplicate, conflict == .terminateExisting {
        throw .invalidArgument("\(invalid) WorkflowIdConflictPolicy \(conflict)")
    }
}

/// The schedule of a chain that begins; nil without one.
private func checkSchedule(
    _ request: StartWorkflowExecutionRequest,
    _ limits: Limits
) throws(RequestError) -> CronSchedule? {
    if request.cronSchedule.isEmpty { return nil }
    if Interval(request.workflowStartDelay).isSet {
        throw .invalidArgument("CronSchedule and WorkflowStartDelay may not be used together.")
    }
    guard let schedule = CronSchedule(request.cronSchedule, limits.timeZones) else {
        throw .invalidArgument("invalid CronSchedule.")
    }
    guard schedule.hasTimes else {
        throw .invalidArgument("invalid CronSchedule, no time can be found to satisfy the schedule")
    }
    return schedule
}

/// Rejects links and priorities that Temporal rejects, in its words.
private func checkAttachments(_ request: StartWorkflowExecutionRequest) throws(RequestError) {
    try checkLinks(request.links)
    if let options = request.onConflictOptions, options.attachCompletionCallbacks, !options.attachRequestID {
        throw .invalidArgument("attaching request ID is required for attaching completion callbacks")
    }
    guard let priority = request.priority else { return }
    if priority.priorityKey < 0 { throw .invalidArgument("priority key can't be negative") }
    if priority.fairnessKey.utf8.count > longestFairnessKey {
        throw .invalidArgument("fairness key length exceeds limit")
    }
    if priority.fairnessWeight < 0 { throw .invalidArgument("must be greater than zero") }
}

/// Rejects more links than a request may have, and empty ones.
func checkLinks(_ links: [Link]) throws(RequestError) {
    if links.count > mostLinks {
        throw .invalidArgument("cannot attach more than \(mostLinks) links per request, got \(links.count)")
    }
    if links.contains(where: { $0.variant == nil }) { throw .invalidArgument("unsupported link variant") }
}

/// Temporal's defaults: 10 links of one request, a fairness key of 64 bytes.
private let mostLinks = 10
private let longestFairnessKey = 64

func checkTimeout(_ duration: ProtobufDuration?, _ field: String) throws(RequestError) {
    guard let duration else { return }
    if duration.seconds < 0 || duration.nanos < 0 {
        throw .invalidArgument("An invalid \(field)Seconds is set on request. cause: negative duration")
    }
}

func checkSize(_ bytes: Int?, _ limits: Limits) throws(RequestError) {
    if let bytes, bytes > limits.payloadBytes { throw .invalidArgument("Blob data size exceeds limit.") }
}
