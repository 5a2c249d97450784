internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreServices

/// Commands of clients to workflows: start, signal, cancel, terminate.
extension GRPCFront {
    func registerWorkflows(on server: GRPCServer) {
        register(.startWorkflowExecution, on: server, .hot) {
            [self] (call, request: StartWorkflowExecutionRequest) throws(RequestError) in
            try start(call, request)
        }
        register(.signalWorkflowExecution, on: server, .hot) {
            [self] (call, request: SignalWorkflowExecutionRequest) throws(RequestError) in
            try signal(call, request)
        }
        register(.signalWithStartWorkflowExecution, on: server, .hot) {
            [self] (call, request: SignalWithStartWorkflowExecutionRequest) throws(RequestError) in
            try signalWithStart(call, request)
        }
        register(.requestCancelWorkflowExecution, on: server, .hot) {
            [self] (call, request: RequestCancelWorkflowExecutionRequest) throws(RequestError) in
            try cancel(call, request)
        }
        register(.terminateWorkflowExecution, on: server, .hot) {
            [self] (call, request: TerminateWorkflowExecutionRequest) throws(RequestError) in
            try terminate(call, request)
        }
    }

    private func start(_ call: GRPCServerCall, _ request: StartWorkflowExecutionRequest) throws(RequestError) {
        let namespace = try self.namespace(request.namespace, starts: true)
        let start = try startRequest(request, in: namespace)
        noteSizes(of: start.request, call)
        history.start(
            start,
            namespace: namespace.number,
            reply: Reply { [self] outcome in
                switch outcome {
                case .success(let run): call.reply(Self.answer(to: run, start.request, namespace.name))
                case .failure(let error): refuse(call, error)
                }
            }
        )
    }

    /// A validated start. The answer names the request that started the run, so a request without an id gets one.
    func startRequest(
        _ request: StartWorkflowExecutionRequest,
        in namespace: NamespaceRecord
    ) throws(RequestError) -> StartRequest {
        guard request.completionCallbacks.isEmpty else {
            throw RequestError(.unimplemented, "completion_callbacks are not available in this version of sagamore")
        }
        var request = request
        if request.requestID.isEmpty { request.requestID = requestIDs.next() }
        let start = try StartRequest(request, attributes: namespace.searchAttributes, limits: limits)
        try check(identity: request.identity)
        return start
    }

    func noteSizes(of request: StartWorkflowExecutionRequest, _ call: GRPCServerCall) {
        noteSize(request.input?.bytes.count, of: "input", call)
        noteSize(request.memo?.bytes.count, of: "memo", above: limits.warnedMemoBytes, call)
    }

    /// The answer in parts, with the first workflow task if the run has started eagerly.
    private static func answer(
        to run: StartedRun,
        _ request: StartWorkflowExecutionRequest,
        _ namespace: String
    ) -> [[UInt8]] {
        var head = response(to: run, request, namespace).serializedBytes()
        guard let task = run.eagerTask.map({ EncodedWorkflowTask($0) }) else { return [head] }
        head.appendLengthDelimited(field: 2, length: task.count)
        return [head] + task.parts
    }

    static func response(
        to run: StartedRun,
        _ request: StartWorkflowExecutionRequest,
        _ namespace: String
    ) -> StartWorkflowExecutionResponse {
        var response = StartWorkflowExecutionResponse()
        response.runID = run.runID.description
        response.firstExecutionRunID = run.firstRunID.description
        response.started = run.isNew
        response.status = run.status
        response.link = link(to: reference(to: run, request), of: run.runID, request.workflowID, namespace)
        return response
    }

    /// The event that the answer links to: the run's start, or the one that attached the request.
    private static func reference(
        to run: StartedRun,
        _ request: StartWorkflowExecutionRequest
    ) -> Link.WorkflowEvent.OneOf_Reference {
        guard run.isAttached else {
            var started = Link.WorkflowEvent.EventReference()
            started.eventID = 1
            started.eventType = .workflowExecutionStarted
            return .eventRef(started)
        }
        var attached = Link.WorkflowEvent.RequestIdReference()
        attached.requestID = request.requestID
        attached.eventType = .workflowExecutionOptionsUpdated
        return .requestIDRef(attached)
    }

    static func link(
        to reference: Link.WorkflowEvent.OneOf_Reference,
        of runID: RunID,
        _ workflowID: String,
        _ namespace: String
    ) -> Link {
        var event = Link.WorkflowEvent()
        event.namespace = namespace
        event.workflowID = workflowID
        event.runID = runID.description
        event.reference = reference
        var link = Link()
        link.variant = .workflowEvent(event)
        return link
    }

    private func signal(_ call: GRPCServerCall, _ request: SignalWorkflowExecutionRequest) throws(RequestError) {
        let workflow = try self.workflow(request.workflowExecution, in: request.namespace)
        try check(identity: request.identity)
        let signal = try SignalRequest(
            name: request.signalName,
            input: request.input,
            header: request.header,
            identity: request.identity,
            requestID: request.requestID,
            links: request.links,
            limits: limits
        )
        noteSize(request.input?.bytes.count, of: "input", call)
        let (workflowID, namespace) = (workflow.key.workflowID, request.namespace)
        history.signal(
            workflow,
            signal,
            reply: reply(to: call) { runID in
                var reference = Link.WorkflowEvent.RequestIdReference()
                reference.requestID = signal.requestID
                reference.eventType = .workflowExecutionSignaled
                var response = SignalWorkflowExecutionResponse()
                response.link = Self.link(to: .requestIDRef(reference), of: runID, workflowID, namespace)
                return response.serializedBytes()
            }
        )
    }

    private func cancel(_ call: GRPCServerCall, _ request: RequestCancelWorkflowExecutionRequest) throws(RequestError) {
        let workflow = try self.workflow(
            request.workflowExecution,
            firstRunID: request.firstExecutionRunID,
            in: request.namespace
        )
        try checkIdentifier(request.requestID, "RequestId", missing: nil, limits)
        try check(identity: request.identity)
        try checkSize(request.reason.utf8.count, of: "reason", call)
        let cancel = CancelRequest(reason: request.reason, identity: request.identity, requestID: request.requestID)
        history.cancel(workflow, cancel, reply: emptyReply(to: call))
    }

    private func terminate(_ call: GRPCServerCall, _ request: TerminateWorkflowExecutionRequest) throws(RequestError) {
        let workflow = try self.workflow(
            request.workflowExecution,
            firstRunID: request.firstExecutionRunID,
            in: request.namespace
        )
        try check(identity: request.identity)
        try checkSize(request.reason.utf8.count, of: "reason", call)
        try checkSize(request.details?.bytes.count, of: "details", call)
        let terminate = TerminateRequest(
            reason: request.reason.isEmpty ? Self.reasonOfTerminations : request.reason,
            details: request.details,
            identity: request.identity.isEmpty ? Self.identityOfTerminations : request.identity
        )
        history.terminate(workflow, terminate, reply: emptyReply(to: call))
    }

    /// The default reason in the history, as in Temporal's server.
    private static let reasonOfTerminations = "terminated by user via frontend"
    /// The default identity.
    private static let identityOfTerminations = "frontend-service"
}
