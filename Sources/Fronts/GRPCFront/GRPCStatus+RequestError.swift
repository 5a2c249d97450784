internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf

extension GRPCStatus {
    /// The contract's status for an error. SDKs tell errors with the same code apart by the message in the details.
    init(_ error: RequestError) {
        let code = GRPCStatus.Code(error.code)
        var details: [UInt8]?
        if let packed = Self.packedDetail(of: error) {
            var status = RPCStatus()
            status.code = Int32(code.rawValue)
            status.message = error.message.prefix(utf8: Self.longestMessage)
            status.details = [packed] + (Self.retryInfo(of: error).map { [$0] } ?? [])
            details = status.serializedBytes()
        }
        self.init(code, error.message, details: details)
    }

    fileprivate static func packedDetail(of error: RequestError) -> ProtobufAny? {
        switch error.detail {
        case .workflowAlreadyStarted(let runID, let startRequestID):
            var failure = WorkflowExecutionAlreadyStartedFailure()
            failure.startRequestID = startRequestID
            failure.runID = runID?.description ?? ""
            failure.firstExecutionRunID = failure.runID
            return ProtobufAny(packing: failure)
        case .workflowNotFound:
            return ProtobufAny(packing: NotFoundFailure())
        case .namespaceNotFound(let name):
            var failure = NamespaceNotFoundFailure()
            failure.namespace = name
            return ProtobufAny(packing: failure)
        case .namespaceInvalidState(let name, let state, let allowed):
            var failure = NamespaceInvalidStateFailure()
            failure.namespace = name
            failure.state = state
            failure.allowedStates = allowed
            return ProtobufAny(packing: failure)
        case .namespaceAlreadyExists:
            return ProtobufAny(packing: NamespaceAlreadyExistsFailure())
        case .workflowNotReady:
            return ProtobufAny(packing: WorkflowNotReadyFailure())
        case .queryFailed(let cause):
            var failure = QueryFailedFailure()
            // A stack trace can exceed the size of trailers. SDKs need only the type; the message is sent apart.
            failure.failure = (cause?.bytes.count ?? 0) <= longestDetail ? cause : nil
            return ProtobufAny(packing: failure)
        case .concurrentLimit:
            var failure = ResourceExhaustedFailure()
            failure.cause = .concurrentLimit
            failure.scope = .namespace
            return ProtobufAny(packing: failure)
        case .tooMuch(let isConcurrent, _):
            var failure = ResourceExhaustedFailure()
            failure.cause = isConcurrent ? .concurrentLimit : .rpsLimit
            failure.scope = .namespace
            return ProtobufAny(packing: failure)
        case .operations(let outcomes):
            var failure = MultiOperationExecutionFailure()
            failure.statuses = outcomes.map { MultiOperationExecutionFailure.OperationStatus($0) }
            return ProtobufAny(packing: failure)
        case .systemWorkflowTaskFailed:
            return ProtobufAny(packing: SystemWorkflowFailure())
        case nil:
            return packedDetail(of: error.code)
        }
    }

    /// The details that the contract sends with every status of a code.
    private static func packedDetail(of code: RequestError.Code) -> ProtobufAny? {
        switch code {
        case .notFound: ProtobufAny(packing: NotFoundFailure())
        case .permissionDenied: ProtobufAny(packing: PermissionDeniedFailure())
        case .resourceExhausted: ProtobufAny(packing: ResourceExhaustedFailure())
        default: nil
        }
    }

    /// When to ask again: `google.rpc.RetryInfo`, whose only field is a duration.
    private static func retryInfo(of error: RequestError) -> ProtobufAny? {
        guard case .tooMuch(_, let milliseconds)? = error.detail else { return nil }
        var writer = ProtobufWriter(capacity: 32)
        writer.message(1, Interval.milliseconds(milliseconds).duration)
        var packed = ProtobufAny()
        packed.typeURL = "type.googleapis.com/google.rpc.RetryInfo"
        packed.value = writer.bytes()
        return packed
    }

    /// Clients accept 8 KiB of trailers in total, with details in base64 and the message twice.
    private static let longestDetail = 2_500
    private static let longestMessage = 1_000
}

extension MultiOperationExecutionFailure.OperationStatus {
    init(_ outcome: RequestError.OperationOutcome) {
        self.init()
        switch outcome {
        case .done: break
        case .aborted:
            code = Int32(GRPCStatus.Code.aborted.rawValue)
            message = "Operation was aborted."
            details = [ProtobufAny(packing: MultiOperationExecutionAborted())]
        case .failed(let error):
            code = Int32(GRPCStatus.Code(error.code).rawValue)
            message = error.message
            details = GRPCStatus.packedDetail(of: error).map { [$0] } ?? []
        }
    }
}

extension GRPCStatus.Code {
    init(_ code: RequestError.Code) {
        self =
            switch code {
            case .invalidArgument: .invalidArgument
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .failedPrecondition: .failedPrecondition
            case .permissionDenied: .permissionDenied
            case .resourceExhausted: .resourceExhausted
            case .unavailable: .unavailable
            case .unimplemented: .unimplemented
            case .deadlineExceeded: .deadlineExceeded
            case .cancelled: .cancelled
            case .internalError: .internalError
            }
    }
}
