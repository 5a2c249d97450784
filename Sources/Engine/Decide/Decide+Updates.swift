public import SagamoreAPI
internal import SagamoreProtobuf

/// A validated update.
public final class UpdateRequest: Sendable {
    /// The contract's request, which travels to the worker and into the history.
    public let request: Request
    /// The id, unique among the updates of the run.
    public let id: String

    /// Validates an update. Its id has been set.
    ///
    /// - Throws: `invalidArgument` naming the field.
    public init(_ request: Request, limits: Limits) throws(RequestError) {
        guard let meta = request.meta else { throw .invalidArgument("Update meta is not set on request.") }
        try checkIdentifier(meta.updateID, "UpdateId", missing: "Update meta is not set on request.", limits)
        try checkIdentifier(meta.identity, "Identity", missing: nil, limits)
        guard let input = request.input else { throw .invalidArgument("Update input is not set on request.") }
        try checkIdentifier(input.name, "Update name", missing: "Update name is not set on request.", limits)
        try checkSize(input.args?.bytes.count, limits)
        self.request = request
        id = meta.updateID
    }
}

extension Execution {
    /// How far an update has come; nil when the run does not know it.
    public func progress(ofUpdate id: String) -> UpdateProgress? {
        if let eventID = durable.completedUpdates[ExactText(id)] { return .completed(eventID: eventID) }
        switch durable.updates[ExactText(id)] {
        case .accepted: return isRunning ? .accepted : .abandoned
        case .admitted: return isRunning ? .admitted : nil
        case nil: return pendingUpdate(id) == nil ? nil : .admitted
        }
    }

    /// The updates that the run has accepted or is to accept.
    var updateCount: Int { durable.completedUpdates.count + durable.updates.count + volatile.updates.count }

    func pendingUpdate(_ id: String) -> PendingUpdate? { volatile.updates.first { $0.id.hasSameBytes(as: id) } }

    /// Admits an update: the next workflow task takes it to a worker, and there is one soon. Nothing is written. An
    /// update whose id the run knows has no effect.
    ///
    /// - Throws: `notFound` when the run is closed, `failedPrecondition` when its code keeps failing or it has had too
    ///   many updates, `resourceExhausted` when it is about to close or too many updates are under way.
    public func decide(
        _ update: UpdateRequest,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        var draft = Draft(self, at: now)
        let isKnown = progress(ofUpdate: update.id) != nil
        guard isRunning else {
            if isKnown { return draft.decision }
            throw .workflowClosed
        }
        if (workflowTask?.attempt ?? 1) >= firstAttemptWithoutUpdates { throw .workflowTaskFailsUpdates }
        if durable.closeWasRefused, volatile.startedTask != nil { throw .workflowClosing }
        if isKnown { return draft.decision }
        let inFlight = durable.updates.count + volatile.updates.count
        guard inFlight < limits.updatesInFlight else { throw .tooManyUpdatesInFlight(limits.updatesInFlight) }
        guard updateCount < limits.updates else { throw .tooManyUpdates(limits.updates) }
        draft.volatile(.updateAdmitted(PendingUpdate(update)))
        if workflowTask == nil { speculate(sticky: durable.stickyQueue, in: &draft) }
        return draft.decision
    }

    /// Writes an update that a reset carries over. Its event takes it to the worker.
    func admit(_ request: Request, origin: UpdateAdmittedEventOrigin, in draft: inout Draft) {
        var attributes = WorkflowExecutionUpdateAdmittedEventAttributes()
        attributes.request = request
        attributes.origin = origin
        draft.outside(
            self,
            .workflowExecutionUpdateAdmitted,
            .workflowExecutionUpdateAdmittedEventAttributes(attributes)
        )
        scheduleWorkflowTask(in: &draft)
    }

    /// Applies an update of another run again, as a reset does.
    public func decide(reapplying update: UpdateRequest, at now: Instant) throws(RequestError) -> Decision {
        guard isRunning else { throw .workflowClosed }
        var draft = Draft(self, at: now)
        if progress(ofUpdate: update.id) == nil { admit(update.request, origin: .reapply, in: &draft) }
        return draft.decision
    }

    /// Ends the updates of a run that the decision closes. Accepted ones fail, the others are aborted.
    func abortUpdates(in draft: inout Draft) {
        for update in volatile.updates where !draft.updates.hasAnswered(update.id) {
            draft.tell(update.id, .failed(.updateAborted))
        }
        var abandoned = durable.updates.keys.filter { !draft.updates.completed.contains($0) }
        abandoned += draft.updates.accepted.keys.filter { !draft.updates.completed.contains($0) }
        for id in abandoned.sorted() { draft.tell(id.text, .ended(abandonedUpdateOutcome)) }
    }
}

/// What a decision in progress does with updates.
struct DraftUpdates {
    /// The Accepted events that it writes, by the ids of the updates.
    var accepted: [ExactText: Int64] = [:]
    /// The updates that get an outcome event.
    var completed: Set<ExactText> = []
    /// The updates that are answered without an event.
    var settled: Set<ExactText> = []

    func hasAnswered(_ id: String) -> Bool {
        let id = ExactText(id)
        return accepted[id] != nil || settled.contains(id)
    }
}

extension Draft {
    /// Tells the callers of an update. Later news replaces earlier.
    mutating func tell(_ id: String, _ kind: UpdateNews.Kind) {
        decision.updates.removeAll { $0.id.hasSameBytes(as: id) }
        decision.updates.append(UpdateNews(id: id, kind: kind))
    }
}

/// The outcome of an update that was accepted by a run which then closed.
public let abandonedUpdateOutcome = failedOutcome(
    "Workflow Update failed because the Workflow completed before the Update completed.",
    type: "AcceptedUpdateCompletedWorkflow"
)

/// The outcome of an update that its worker ignored.
let ignoredUpdateOutcome = failedOutcome(
    "Workflow Update is rejected because it wasn't processed by worker. "
        + "Probably, Workflow Update is not supported by the worker.",
    type: "UnprocessedUpdate"
)

private func failedOutcome(_ message: String, type: String) -> Outcome {
    var info = ApplicationFailureInfo()
    info.type = type
    info.nonRetryable = true
    var failure = Failure()
    failure.message = message
    failure.source = "Server"
    failure.failureInfo = .applicationFailureInfo(info)
    var outcome = Outcome()
    outcome.value = .failure(RawMessage(failure))
    return outcome
}

/// Code that fails its workflow task fails updates as well. Temporal's default: from the third attempt.
private let firstAttemptWithoutUpdates: Int32 = 3

extension RequestError {
    /// The run closed before its workflow accepted the update.
    public static let updateAborted = RequestError(
        .notFound,
        "workflow update was aborted by closing workflow",
        detail: .workflowNotFound
    )

    /// The run does not know the update.
    public static func updateNotFound(_ id: String) -> RequestError {
        RequestError(.notFound, "update \"\(id)\" not found", detail: .workflowNotFound)
    }

    static let workflowTaskFailsUpdates = RequestError(
        .failedPrecondition,
        "Unable to perform workflow execution update due to Workflow Task in failed state.",
        detail: .workflowNotReady
    )

    /// The worker's answer to the workflow task that carried the update does not hold.
    static let updateTaskFailed = RequestError(
        .failedPrecondition,
        "Unable to perform workflow execution update due to unexpected workflow task failure.",
        detail: .workflowNotReady
    )

    /// As many updates are under way as may be.
    public static func tooManyUpdatesInFlight(_ limit: Int) -> RequestError {
        RequestError(
            .resourceExhausted,
            "limit on number of concurrent in-flight updates has been reached (\(limit))",
            detail: .concurrentLimit
        )
    }

    static func tooManyUpdates(_ limit: Int) -> RequestError {
        RequestError(
            .failedPrecondition,
            "The limit on the total number of distinct updates in this workflow has been reached (\(limit)). "
                + "Make sure any duplicate updates share an Update ID so the server can deduplicate them, "
                + "and consider rejecting updates that you aren't going to process. "
                + "You can also Continue-as-New to avoid this; "
                + "we recommend you check Continue-as-New Suggested in your Workflow."
        )
    }
}
