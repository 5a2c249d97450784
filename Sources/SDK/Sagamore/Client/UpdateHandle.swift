internal import SagamoreAPI
internal import SagamoreProtobuf

/// A client's handle for an update that a workflow has accepted, or rejected.
public struct UpdateHandle<Output: Codable & Sendable>: Sendable {
    let client: Client
    let workflowID: String
    let runID: String
    /// The outcome, if the server sent it with the acceptance.
    let outcome: Outcome?

    /// The update's id, unique within the run.
    public let id: String

    /// Waits for the update's result, without a limit. Tolerates outages of the server of less than a minute.
    /// - Throws: ``UpdateFailedError`` when the workflow rejected the update or its handler failed, ``ClientError``,
    ///   ``DataError`` when the result has another type.
    public func result() async throws -> Output {
        if let outcome { return try Self.decode(outcome) }
        var request = PollWorkflowExecutionUpdateRequest()
        request.namespace = client.options.namespace
        request.identity = client.options.identity
        var reference = UpdateRef()
        reference.workflowExecution = WorkflowExecution(workflowID: workflowID, runID: runID)
        reference.updateID = id
        request.updateRef = reference
        var policy = WaitPolicy()
        policy.lifecycleStage = .completed
        request.waitPolicy = policy
        while true {
            let answer = await client.service.call(
                .pollWorkflowExecutionUpdate,
                request,
                deadline: ServiceConnection.pollDeadline,
                patience: .seconds(60),
                PollWorkflowExecutionUpdateResponse.self
            )
            switch answer {
            case .success(let response):
                if let outcome = response.outcome { return try Self.decode(outcome) }
            case .failure(let status):
                if status.code != .deadlineExceeded || Task.isCancelled { throw ClientError(status) }
            }
        }
    }

    private static func decode(_ outcome: Outcome) throws -> Output {
        switch outcome.value {
        case .success(let payloads): return try PayloadCoding.first(payloads, as: Output.self)
        case .failure(let failure): throw UpdateFailedError(cause: FailureCoding.error(failure))
        case nil: throw UpdateFailedError(cause: FailureCoding.error(nil))
        }
    }
}

/// A workflow rejected an update, or the update's handler failed.
public struct UpdateFailedError: Error, Sendable, CustomStringConvertible {
    /// Why: what the validator or the handler threw.
    public let cause: any Error

    /// The cause's description.
    public var description: String { "the update failed: \(cause)" }
}

extension WorkflowHandle {
    /// Sends an update and waits for its result.
    ///
    /// - Parameters:
    ///   - update: what to do.
    ///   - input: what goes in.
    ///   - id: the update's id. The same id has the same outcome; nil means a new one.
    /// - Throws: ``UpdateFailedError`` when the workflow rejected the update or its handler failed; ``ClientError``;
    ///   ``DataError``.
    public func update<Input, Answer>(
        _ update: Update<Input, Answer>,
        _ input: Input,
        id: String? = nil
    ) async throws -> Answer {
        try await send(update, input, id: id, until: .completed).result()
    }

    /// Sends an update and waits until the workflow has accepted it, so that it is durable.
    ///
    /// - Parameters: as ``update(_:_:id:)``.
    /// - Throws: ``ClientError`` or ``DataError``. A rejection is thrown by ``UpdateHandle/result()``.
    public func startUpdate<Input, Answer>(
        _ update: Update<Input, Answer>,
        _ input: Input,
        id: String? = nil
    ) async throws -> UpdateHandle<Answer> {
        try await send(update, input, id: id, until: .accepted)
    }

    private func send<Input, Answer>(
        _ update: Update<Input, Answer>,
        _ input: Input,
        id: String?,
        until stage: UpdateWorkflowExecutionLifecycleStage
    ) async throws -> UpdateHandle<Answer> {
        let request = try client.updateRequest(update, input, id: id, of: self.id, runID: runID ?? "", until: stage)
        while true {
            let answer = await client.service.call(
                .updateWorkflowExecution,
                request,
                deadline: ServiceConnection.pollDeadline,
                patience: .seconds(60),
                UpdateWorkflowExecutionResponse.self
            )
            switch answer {
            case .success(let response):
                if let handle = UpdateHandle<Answer>(client, response, to: request) { return handle }
            case .failure(let status):
                if status.code != .deadlineExceeded || Task.isCancelled { throw ClientError(status) }
            }
        }
    }
}

extension UpdateHandle {
    /// Nil when the server has answered before the workflow accepted the update, as it does without a worker.
    init?(_ client: Client, _ response: UpdateWorkflowExecutionResponse, to request: UpdateWorkflowExecutionRequest) {
        guard response.stage.rawValue >= UpdateWorkflowExecutionLifecycleStage.accepted.rawValue else { return nil }
        let asked = request.workflowExecution
        self.init(
            client: client,
            workflowID: asked?.workflowID ?? "",
            runID: response.updateRef?.workflowExecution?.runID ?? asked?.runID ?? "",
            outcome: response.outcome,
            id: request.request?.meta?.updateID ?? ""
        )
    }
}

extension Client {
    func updateRequest<Input, Answer>(
        _ update: Update<Input, Answer>,
        _ input: Input,
        id: String?,
        of workflowID: String,
        runID: String,
        until stage: UpdateWorkflowExecutionLifecycleStage
    ) throws -> UpdateWorkflowExecutionRequest {
        var request = UpdateWorkflowExecutionRequest()
        request.namespace = options.namespace
        request.workflowExecution = WorkflowExecution(workflowID: workflowID, runID: runID)
        var policy = WaitPolicy()
        policy.lifecycleStage = stage
        request.waitPolicy = policy
        var meta = Meta()
        meta.updateID = id ?? Self.makeRequestID()
        meta.identity = options.identity
        var arguments = SagamoreAPI.Input()
        arguments.name = update.name
        arguments.args = try PayloadCoding.arguments(input)
        request.request = Request()
        request.request?.meta = meta
        request.request?.input = arguments
        return request
    }
}
