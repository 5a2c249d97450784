internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreServices

/// A signal to a workflow that is started if it does not run.
extension GRPCFront {
    func signalWithStart(
        _ call: GRPCServerCall,
        _ request: SignalWithStartWorkflowExecutionRequest
    ) throws(RequestError) {
        let namespace = try self.namespace(request.namespace, starts: true)
        try check(identity: request.identity)
        try checkNames(of: request)
        var request = request
        if request.requestID.isEmpty { request.requestID = requestIDs.next() }
        let signal = try SignalRequest(
            name: request.signalName,
            input: request.signalInput,
            header: request.header,
            identity: request.identity,
            requestID: request.requestID,
            links: request.links,
            limits: limits
        )
        let start = try StartRequest(
            Self.start(of: request),
            signal: signal,
            attributes: namespace.searchAttributes,
            limits: limits
        )
        if request.workflowIDConflictPolicy == .fail {
            let policy = request.workflowIDConflictPolicy
            throw .invalidArgument("Invalid WorkflowIDConflictPolicy: \(policy) is not supported for this operation.")
        }
        noteSize(request.input?.bytes.count, of: "input", call)
        noteSize(request.signalInput?.bytes.count, of: "signal_input", call)
        let (workflowID, requestID) = (request.workflowID, request.requestID)
        history.start(
            start,
            namespace: namespace.number,
            reply: reply(to: call) { run in
                var reference = Link.WorkflowEvent.RequestIdReference()
                reference.requestID = requestID
                reference.eventType = .workflowExecutionSignaled
                var response = SignalWithStartWorkflowExecutionResponse()
                response.runID = run.runID.description
                response.firstExecutionRunID = run.firstRunID.description
                response.started = run.isNew
                response.signalLink = Self.link(
                    to: .requestIDRef(reference),
                    of: run.runID,
                    workflowID,
                    namespace.name
                )
                return response.serializedBytes()
            }
        )
    }

    /// Checks what has other messages here than in a start or a signal.
    private func checkNames(of request: SignalWithStartWorkflowExecutionRequest) throws(RequestError) {
        let (longest, name) = (limits.identifierLength, request.signalName)
        if name.isEmpty { throw .invalidArgument("signal not set") }
        if name.utf8.count > longest {
            throw .invalidArgument("signal name exceeds maximum allowed length (\(name.utf8.count)/\(longest))")
        }
        if request.requestID.utf8.count > longest {
            let length = request.requestID.utf8.count
            throw .invalidArgument("Request ID exceeds maximum allowed length (\(length)/\(longest))")
        }
    }

    private static func start(
        of request: SignalWithStartWorkflowExecutionRequest
    ) -> StartWorkflowExecutionRequest {
        var start = StartWorkflowExecutionRequest()
        start.namespace = request.namespace
        start.workflowID = request.workflowID
        start.workflowType = request.workflowType
        start.taskQueue = request.taskQueue
        start.input = request.input
        start.workflowExecutionTimeout = request.workflowExecutionTimeout
        start.workflowRunTimeout = request.workflowRunTimeout
        start.workflowTaskTimeout = request.workflowTaskTimeout
        start.identity = request.identity
        start.requestID = request.requestID
        start.workflowIDReusePolicy = request.workflowIDReusePolicy
        start.workflowIDConflictPolicy = request.workflowIDConflictPolicy
        start.retryPolicy = request.retryPolicy
        start.cronSchedule = request.cronSchedule
        start.memo = request.memo
        start.searchAttributes = request.searchAttributes
        start.header = request.header
        start.workflowStartDelay = request.workflowStartDelay
        start.userMetadata = request.userMetadata
        start.links = request.links
        start.priority = request.priority
        return start
    }
}
