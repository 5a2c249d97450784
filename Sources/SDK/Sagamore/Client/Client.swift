internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// Starts workflows and communicates with running ones.
///
///     let client = try await Client.connect()
///     let handle = try await client.start(Travel.booking, booking, WorkflowOptions(id: "order-17"))
///     let booked = try await handle.result()
public final class Client: Sendable {
    /// The server address, the namespace, and the client's identity.
    public let options: ClientOptions
    let service: ServiceConnection

    private init(_ options: ClientOptions) {
        self.options = options
        service = ServiceConnection(options)
    }

    /// Connects to a server.
    /// - Throws: ``ClientError`` when no server answers.
    public static func connect(_ options: ClientOptions = ClientOptions()) async throws -> Client {
        let client = Client(options)
        let answer = await client.service.call(
            .getSystemInfo,
            GetSystemInfoRequest(),
            patience: .zero,
            GetSystemInfoResponse.self
        )
        // Old servers lack the call, and nothing here depends on the response.
        if case .failure(let status) = answer, status.code != .unimplemented {
            client.close()
            throw ClientError(status)
        }
        return client
    }

    /// Closes the connection; pending calls fail. Releasing the client does the same.
    public func close() { service.shutdown() }

    /// Starts a workflow and returns as soon as the start is durable.
    /// - Throws: ``ClientError`` when the server refuses it, ``DataError`` when the input cannot be encoded.
    public func start<Input, Output>(
        _ type: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: WorkflowOptions
    ) async throws -> WorkflowHandle<Output> {
        let request = try startRequest(type, input, options)
        switch await service.call(.startWorkflowExecution, request, StartWorkflowExecutionResponse.self) {
        case .success(let response): return WorkflowHandle(client: self, id: options.id, runID: response.runID)
        case .failure(let status): throw ClientError(status)
        }
    }

    /// Signals a workflow, and starts it first when it is not running. Both happen, or neither.
    ///
    /// - Throws: ``ClientError``, or ``DataError`` when an input cannot be encoded.
    public func signalWithStart<Input, Output, SignalInput>(
        _ type: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: WorkflowOptions,
        signal: Signal<SignalInput>,
        _ signalInput: SignalInput
    ) async throws -> WorkflowHandle<Output> {
        let start = try startRequest(type, input, options)
        var request = SignalWithStartWorkflowExecutionRequest()
        request.namespace = start.namespace
        request.identity = start.identity
        request.requestID = start.requestID
        request.workflowID = start.workflowID
        request.workflowType = start.workflowType
        request.taskQueue = start.taskQueue
        request.input = start.input
        request.workflowIDReusePolicy = start.workflowIDReusePolicy
        // A running workflow gets the signal, unless the options say otherwise.
        if options.conflictPolicy != .fail { request.workflowIDConflictPolicy = start.workflowIDConflictPolicy }
        request.workflowExecutionTimeout = start.workflowExecutionTimeout
        request.workflowRunTimeout = start.workflowRunTimeout
        request.workflowTaskTimeout = start.workflowTaskTimeout
        request.retryPolicy = start.retryPolicy
        request.workflowStartDelay = start.workflowStartDelay
        request.signalName = signal.name
        request.signalInput = try PayloadCoding.arguments(signalInput)
        let answer = await service.call(
            .signalWithStartWorkflowExecution,
            request,
            SignalWithStartWorkflowExecutionResponse.self
        )
        switch answer {
        case .success(let response): return WorkflowHandle(client: self, id: options.id, runID: response.runID)
        case .failure(let status): throw ClientError(status)
        }
    }

    /// Starts a workflow and waits for its result.
    /// - Throws: what ``start(_:_:_:)`` and ``WorkflowHandle/result()`` throw.
    public func execute<Input, Output>(
        _ type: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: WorkflowOptions
    ) async throws -> Output {
        try await start(type, input, options).result()
    }

    /// A handle for a workflow that is running or has ended.
    ///
    /// - Parameters:
    ///   - type: its type.
    ///   - id: its id.
    ///   - runID: its run; nil means the newest.
    public func handle<Input, Output>(
        _ type: WorkflowType<Input, Output>,
        id: String,
        runID: String? = nil
    ) -> WorkflowHandle<Output> {
        WorkflowHandle(client: self, id: id, runID: runID)
    }

    func startRequest<Input, Output>(
        _ type: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: WorkflowOptions
    ) throws -> StartWorkflowExecutionRequest {
        var request = StartWorkflowExecutionRequest()
        request.namespace = self.options.namespace
        request.identity = self.options.identity
        request.requestID = Self.makeRequestID()
        request.workflowID = options.id
        request.workflowType = SagamoreAPI.WorkflowType(name: type.name)
        request.taskQueue = TaskQueue(name: options.taskQueue ?? type.taskQueue)
        request.input = try PayloadCoding.arguments(input)
        request.workflowIDReusePolicy = options.reusePolicy.message
        request.workflowIDConflictPolicy = options.conflictPolicy.message
        request.workflowExecutionTimeout = options.executionTimeout.map { ProtobufDuration($0) }
        request.workflowRunTimeout = options.runTimeout.map { ProtobufDuration($0) }
        request.workflowTaskTimeout = options.taskTimeout.map { ProtobufDuration($0) }
        request.retryPolicy = options.retryPolicy?.message
        request.cronSchedule = options.cronSchedule
        request.workflowStartDelay = options.startDelay.map { ProtobufDuration($0) }
        return request
    }

    /// A request id, which makes retries idempotent.
    static func makeRequestID() -> String {
        var generator = SystemRandomNumberGenerator()
        var ids = SplitMix64(seed: generator.next())
        return ids.uuid().lowercaseText
    }
}

extension WorkflowOptions.ReusePolicy {
    var message: WorkflowIdReusePolicy {
        switch self {
        case .allowDuplicate: .allowDuplicate
        case .allowDuplicateIfFailed: .allowDuplicateFailedOnly
        case .rejectDuplicate: .rejectDuplicate
        }
    }
}

extension WorkflowOptions.ConflictPolicy {
    fileprivate var message: WorkflowIdConflictPolicy {
        switch self {
        case .fail: .fail
        case .useExisting: .useExisting
        case .terminateExisting: .terminateExisting
        }
    }
}
