internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// A client's handle for one workflow.
public struct WorkflowHandle<Output: Codable & Sendable>: Sendable {
    let client: Client
    /// The workflow's id.
    public let id: String
    /// The run; nil means the newest.
    public let runID: String?

    private var execution: WorkflowExecution { WorkflowExecution(workflowID: id, runID: runID ?? "") }

    /// Waits for the workflow's result, without a limit. Tolerates outages of the server of less than a minute.
    /// - Throws: ``WorkflowFailedError`` when it did not complete, ``ClientError`` when the server refuses,
    ///   ``DataError`` when the result has another type.
    public func result() async throws -> Output {
        var request = GetWorkflowExecutionHistoryRequest()
        request.namespace = client.options.namespace
        request.execution = execution
        request.waitNewEvent = true
        request.historyEventFilterType = .closeEvent
        while true {
            let answer = await client.service.call(
                .getWorkflowExecutionHistory,
                request,
                deadline: ServiceConnection.pollDeadline,
                patience: .seconds(60),
                GetWorkflowExecutionHistoryResponse.self
            )
            if case .failure(let status) = answer, status.code != .deadlineExceeded || Task.isCancelled {
                throw ClientError(status)
            }
            guard case .success(let response) = answer else { continue }
            request.nextPageToken = response.nextPageToken
            guard let event = response.history?.events.last else { continue }
            switch event.attributes {
            case .workflowExecutionCompletedEventAttributes(let completed):
                return try PayloadCoding.first(completed.result, as: Output.self)
            case .workflowExecutionContinuedAsNewEventAttributes(let continued):
                request.execution = WorkflowExecution(workflowID: id, runID: continued.newExecutionRunID)
                request.nextPageToken = []
            default:
                if let ended = WorkflowFailedError(event) { throw ended }
            }
        }
    }

    /// Sends a signal and returns when it is durable.
    /// - Throws: ``ClientError``, or ``DataError`` when the input cannot be encoded.
    public func signal<Input>(_ signal: Signal<Input>, _ input: Input) async throws {
        var request = SignalWorkflowExecutionRequest()
        request.namespace = client.options.namespace
        request.workflowExecution = execution
        request.identity = client.options.identity
        request.requestID = Client.makeRequestID()
        request.signalName = signal.name
        request.input = try PayloadCoding.arguments(input)
        try await call(.signalWorkflowExecution, request, SignalWorkflowExecutionResponse.self)
    }

    /// Queries the workflow's state.
    /// - Throws: ``ClientError``, with the code `queryFailed` when the workflow could not answer; ``DataError``.
    public func query<Input, Answer>(_ query: Query<Input, Answer>, _ input: Input) async throws -> Answer {
        var request = QueryWorkflowRequest()
        request.namespace = client.options.namespace
        request.execution = execution
        var content = WorkflowQuery()
        content.queryType = query.name
        content.queryArgs = try PayloadCoding.arguments(input)
        request.query = content
        switch await client.service.call(.queryWorkflow, request, QueryWorkflowResponse.self) {
        case .success(let response): return try PayloadCoding.first(response.queryResult, as: Answer.self)
        case .failure(let status): throw ClientError(status, asksAQuery: true)
        }
    }

    /// Queries the workflow's state without an input. Throws what ``query(_:_:)`` throws.
    public func query<Answer>(_ query: Query<Nothing, Answer>) async throws -> Answer {
        try await self.query(query, Nothing())
    }

    /// Requests cancellation: the workflow's waits are cancelled, and its code decides how to end.
    /// - Throws: ``ClientError``.
    public func cancel(reason: String = "") async throws {
        var request = RequestCancelWorkflowExecutionRequest()
        request.namespace = client.options.namespace
        request.workflowExecution = execution
        request.identity = client.options.identity
        request.requestID = Client.makeRequestID()
        request.reason = reason
        try await call(.requestCancelWorkflowExecution, request, RequestCancelWorkflowExecutionResponse.self)
    }

    /// Ends the workflow at once, without running its code: no cleanup or compensation runs.
    /// - Throws: ``ClientError``.
    public func terminate(reason: String = "") async throws {
        var request = TerminateWorkflowExecutionRequest()
        request.namespace = client.options.namespace
        request.workflowExecution = execution
        request.identity = client.options.identity
        request.reason = reason
        try await call(.terminateWorkflowExecution, request, TerminateWorkflowExecutionResponse.self)
    }

    /// Describes the workflow.
    /// - Throws: ``ClientError``.
    public func describe() async throws -> WorkflowDescription {
        var request = DescribeWorkflowExecutionRequest()
        request.namespace = client.options.namespace
        request.execution = execution
        let response = try await call(
            .describeWorkflowExecution,
            request,
            DescribeWorkflowExecutionResponse.self
        )
        return WorkflowDescription(response)
    }

    @discardableResult
    private func call<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: WorkflowServiceMethod,
        _ request: Request,
        _ type: Response.Type
    ) async throws -> Response {
        switch await client.service.call(method, request, type) {
        case .success(let response): return response
        case .failure(let status): throw ClientError(status)
        }
    }
}
