internal import SagamoreAPI
internal import SagamoreProtobuf

/// A child workflow, from its command to its end.
///
/// Unchecked: used only inside ``WorkflowExecutor/enter(_:)``, as ``RunCore`` is.
final class ChildWait: @unchecked Sendable {
    let sequence: Int
    let name: String
    let id: String
    let namespace: String
    let behavior: ChildWorkflowOptions.CancellationType
    var initiatedEventID: Int64 = 0
    /// The child's first run, once it has started.
    var runID: String?
    var startedEventID: Int64 = 0
    var outcome: Result<RawMessage<Payloads>?, any Error>?
    var isCancelRequested = false
    var starting: RunCore.Continuation?
    /// Those who wait for the result, in the order in which they began.
    var results: [RunCore.Continuation] = []

    init(
        sequence: Int,
        name: String,
        id: String,
        namespace: String,
        behavior: ChildWorkflowOptions.CancellationType
    ) {
        self.sequence = sequence
        self.name = name
        self.id = id
        self.namespace = namespace
        self.behavior = behavior
    }

    var isAwaited: Bool { starting != nil || !results.isEmpty }

    /// Resumes everybody who waits.
    func release(throwing error: any Error) {
        let waiting = (starting.map { [$0] } ?? []) + results
        (starting, results) = (nil, [])
        for continuation in waiting { continuation.resume(throwing: error) }
    }

    func failure(_ cause: (any Error)?, retryState: RetryState = .unspecified) -> ChildWorkflowError {
        ChildWorkflowError(
            workflow: name,
            workflowID: id,
            runID: runID ?? "",
            cause: cause,
            namespace: namespace,
            initiatedEventID: initiatedEventID,
            startedEventID: startedEventID,
            retryState: retryState.rawValue
        )
    }
}

extension RunCore {
    /// Starts a child workflow and waits until it has started.
    ///
    /// - Parameter step: the step of a saga that it undoes.
    func startChild(
        _ name: String,
        _ taskQueue: String,
        _ options: ChildWorkflowOptions,
        _ input: RawMessage<Payloads>?,
        undoing step: String? = nil
    ) async throws -> ChildWait {
        try await checkBeforeWait()
        let child = try issueStart(name, taskQueue, options, input, step)
        _ = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { child.starting = $0 }
        } onCancel: {
            cancelChild(child)
        }
        return child
    }

    /// Kept out of the function that waits, so that its values do not stay in that frame.
    @inline(never)
    private func issueStart(
        _ name: String,
        _ taskQueue: String,
        _ options: ChildWorkflowOptions,
        _ input: RawMessage<Payloads>?,
        _ step: String?
    ) throws -> ChildWait {
        if Task.isCancelled { throw CanceledError("child '\(name)' was not started: its caller was cancelled") }
        var ids = SplitMix64(seed: options.id == nil ? drawRandom() : 0)
        let child = ChildWait(
            sequence: nextSequence(),
            name: name,
            id: options.id ?? ids.uuid().lowercaseText,
            namespace: options.namespace ?? info.namespace,
            behavior: options.cancellationType
        )
        children[child.sequence] = child
        ledger.issue(
            IssuedCommand(
                kind: .startChild,
                sequence: child.sequence,
                name: name,
                id: child.id,
                command: CommandMaker.startChild(child, options, input, taskQueue: taskQueue, undoing: step)
            )
        )
        return child
    }

    /// Waits for the result of a child.
    func result(of child: ChildWait) async throws -> RawMessage<Payloads>? {
        try await checkBeforeWait()
        if let outcome = child.outcome { return try outcome.get() }
        if Task.isCancelled {
            cancelChild(child)
            if child.behavior != .waitCancellationCompleted { throw cancelled(child) }
        }
        let resolution = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { child.results.append($0) }
        } onCancel: {
            cancelChild(child)
        }
        guard case .result(let payloads) = resolution else { return nil }
        return payloads
    }

    // MARK: Events

    func childStarted(_ initiatedEventID: Int64, runID: String, eventID: Int64) {
        guard let child = child(of: initiatedEventID) else { return }
        child.runID = runID
        child.startedEventID = eventID
        child.starting?.resume(returning: .met)
        child.starting = nil
        if child.isCancelRequested { issueCancel(of: child) }
    }

    /// - Parameter outcome: makes the outcome from the child, which failures name.
    func childEnded(
        _ initiatedEventID: Int64,
        _ outcome: (ChildWait) -> Result<RawMessage<Payloads>?, any Error>
    ) {
        guard let child = child(of: initiatedEventID) else { return }
        ledger.forget(initiatedBy: initiatedEventID)
        children[child.sequence] = nil
        let outcome = outcome(child)
        child.outcome = outcome
        switch outcome {
        case .success(let payloads):
            let waiting = child.results
            child.results = []
            for continuation in waiting { continuation.resume(returning: .result(payloads)) }
        case .failure(let error): child.release(throwing: error)
        }
    }

    private func child(of initiatedEventID: Int64) -> ChildWait? {
        ledger.sequence(initiatedBy: initiatedEventID).flatMap { children[$0] }
    }

    // MARK: Cancellation

    private func cancelled(_ child: ChildWait) -> ChildWorkflowError {
        child.failure(CanceledError("the child workflow was cancelled"))
    }

    private func cancelChild(_ child: ChildWait) {
        // A cancellation from outside the run is detected when the activation ends.
        guard (try? check()) != nil, child.outcome == nil else { return }
        if ledger.withdraw(.startChild, child.sequence) {
            children[child.sequence] = nil
            let failure = cancelled(child)
            child.outcome = .failure(failure)
            return child.release(throwing: failure)
        }
        if child.behavior != .abandon, !child.isCancelRequested {
            child.isCancelRequested = true
            // One that has not started yet is cancelled once it has.
            if child.runID != nil { issueCancel(of: child) }
        }
        if child.behavior != .waitCancellationCompleted { child.release(throwing: cancelled(child)) }
    }

    /// Nobody waits for the outcome of this request: the child's end says enough.
    private func issueCancel(of child: ChildWait) {
        let target = ExternalTarget(namespace: child.namespace, workflowID: child.id, runID: "", isChild: true)
        issueCancel(target, sequence: nextSequence(), reason: "")
    }
}
