internal import SagamoreAPI
internal import SagamoreProtobuf

/// A child workflow that has started.
///
/// Use it only in the code of the workflow that started it.
public struct ChildWorkflow<Output: Codable & Sendable>: Sendable {
    let core: RunCore
    let wait: ChildWait

    /// The child's workflow id.
    public let id: String
    /// The id of the child's first run.
    public let runID: String

    /// Waits for the child's result. The cancellation of the caller cancels the child, as its options say.
    /// - Throws: ``ChildWorkflowError`` when the child did not complete, ``DataError`` when its result has another
    ///   type.
    public func result() async throws -> Output {
        try PayloadCoding.first(try await core.result(of: wait), as: Output.self)
    }

    /// Sends the child a signal, and waits until the child has recorded it.
    /// - Throws: ``ExternalWorkflowError`` when the child has ended, ``CanceledError``, or ``DataError``.
    public func signal<Input>(_ signal: Signal<Input>, _ input: Input) async throws {
        let target = ExternalTarget(namespace: wait.namespace, workflowID: id, runID: "", isChild: true)
        try await core.signal(target, signal.name, try PayloadCoding.arguments(input))
    }

    /// Asks the child to cancel, and waits until the child has recorded it.
    /// - Throws: ``ExternalWorkflowError`` when the child has ended, or ``CanceledError``.
    public func cancel(reason: String = "") async throws {
        let target = ExternalTarget(namespace: wait.namespace, workflowID: id, runID: "", isChild: true)
        try await core.cancel(target, reason: reason)
    }
}

/// Another workflow, which this one can signal and cancel.
///
/// Use it only in workflow code.
public struct ExternalWorkflow: Sendable {
    let core: RunCore
    let target: ExternalTarget

    /// The workflow's id.
    public var id: String { target.workflowID }

    /// Sends a signal, and waits until the other workflow has recorded it.
    /// - Throws: ``ExternalWorkflowError`` when there is no such workflow, or it has ended; ``CanceledError``;
    ///   ``DataError`` when the input cannot be encoded.
    public func signal<Input>(_ signal: Signal<Input>, _ input: Input) async throws {
        try await core.signal(target, signal.name, try PayloadCoding.arguments(input))
    }

    /// Asks the workflow to cancel, and waits until it has recorded that.
    /// - Throws: ``ExternalWorkflowError`` when there is no such workflow, or it has ended; ``CanceledError``.
    public func cancel(reason: String = "") async throws { try await core.cancel(target, reason: reason) }
}

extension WorkflowContext {
    /// Runs a child workflow and waits for its result.
    ///
    /// - Parameters:
    ///   - type: what to run.
    ///   - input: what goes in.
    ///   - options: its id, timeouts and policies.
    /// - Throws: ``ChildWorkflowError`` when it could not be started or did not complete, ``CanceledError`` when
    ///   the caller had been cancelled before, ``DataError``.
    public func execute<Input, Output>(
        child type: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: ChildWorkflowOptions = ChildWorkflowOptions()
    ) async throws -> Output {
        try await start(child: type, input, options).result()
    }

    /// Starts a child workflow and waits until it has started.
    ///
    /// - Parameters: as ``execute(child:_:_:)``.
    /// - Throws: ``ChildWorkflowError`` when it could not be started, ``CanceledError``, ``DataError``.
    public func start<Input, Output>(
        child type: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: ChildWorkflowOptions = ChildWorkflowOptions()
    ) async throws -> ChildWorkflow<Output> {
        let wait = try await core.startChild(type.name, type.taskQueue, options, try PayloadCoding.arguments(input))
        return ChildWorkflow(core: core, wait: wait, id: wait.id, runID: wait.runID ?? "")
    }

    /// Another workflow, to signal or to cancel.
    ///
    /// - Parameters:
    ///   - id: its workflow id.
    ///   - runID: its run; nil means the current one.
    ///   - namespace: its namespace; nil means this workflow's.
    public func external(_ id: String, runID: String? = nil, namespace: String? = nil) -> ExternalWorkflow {
        let namespace = namespace ?? core.info.namespace
        let target = ExternalTarget(namespace: namespace, workflowID: id, runID: runID ?? "", isChild: false)
        return ExternalWorkflow(core: core, target: target)
    }
}
