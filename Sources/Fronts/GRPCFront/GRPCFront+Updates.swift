internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Updates from clients, and their questions for outcomes.
extension GRPCFront {
    func registerUpdates(on server: GRPCServer) {
        register(.updateWorkflowExecution, on: server, .hot) {
            [self] (call, request: UpdateWorkflowExecutionRequest) throws(RequestError) in
            try update(call, request)
        }
        register(.executeMultiOperation, on: server, .hot) {
            [self] (call, request: ExecuteMultiOperationRequest) throws(RequestError) in
            try updateWithStart(call, request)
        }
        register(.pollWorkflowExecutionUpdate, on: server, .hot) {
            [self] (call, request: PollWorkflowExecutionUpdateRequest) throws(RequestError) in
            try pollUpdate(call, request)
        }
    }

    private func update(_ call: GRPCServerCall, _ request: UpdateWorkflowExecutionRequest) throws(RequestError) {
        let workflow = try self.workflow(
            request.workflowExecution,
            firstRunID: request.firstExecutionRunID,
            in: request.namespace
        )
        let update = try self.updateRequest(request.request)
        let stage = try Self.stage(of: request.waitPolicy)
        noteSize(update.request.input?.args?.bytes.count, of: "args", call)
        let namespace = request.namespace
        history.update(
            workflow,
            update,
            waitingFor: stage,
            deadline: updateDeadline(of: call),
            reply: reply(to: call) { status in
                Self.response(to: update, status, workflow.key.workflowID, namespace).serializedBytes()
            }
        )
    }

    /// A validated update. One without an id gets one.
    func updateRequest(_ request: Request?) throws(RequestError) -> UpdateRequest {
        guard var request, var meta = request.meta else {
            throw .invalidArgument("Update meta is not set on request.")
        }
        if meta.updateID.isEmpty {
            meta.updateID = requestIDs.next()
            request.meta = meta
        }
        return try UpdateRequest(request, limits: limits)
    }

    /// The stage that an update's caller waits for.
    ///
    /// - Throws: `permissionDenied` for a stage at which nothing is durable.
    static func stage(of policy: WaitPolicy?) throws(RequestError) -> UpdateWorkflowExecutionLifecycleStage {
        let stage = policy?.lifecycleStage ?? .unspecified
        if stage == .admitted {
            throw RequestError(
                .permissionDenied,
                "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported."
            )
        }
        return stage == .unspecified ? .completed : stage
    }

    /// When a caller hears how far its update has come: after 20 seconds, as from Temporal's server, or before it gives
    /// up.
    func updateDeadline(of call: GRPCServerCall) -> Instant {
        deadline(of: call, atMost: Self.longestUpdateWait, slack: .zero) ?? clock() + Self.longestUpdateWait
    }

    private static let longestUpdateWait = Interval.seconds(20)

    static func response(
        to update: UpdateRequest,
        _ status: UpdateStatus,
        _ workflowID: String,
        _ namespace: String
    ) -> UpdateWorkflowExecutionResponse {
        var response = UpdateWorkflowExecutionResponse()
        response.updateRef = reference(to: update.id, status.runID, workflowID)
        response.outcome = status.outcome
        response.stage = status.stage
        response.link = link(to: update, status, workflowID, namespace)
        return response
    }

    private static func reference(to id: String, _ runID: RunID, _ workflowID: String) -> UpdateRef {
        var reference = UpdateRef()
        reference.workflowExecution = WorkflowExecution()
        reference.workflowExecution?.workflowID = workflowID
        reference.workflowExecution?.runID = runID.description
        reference.updateID = id
        return reference
    }

    /// Where a caller from another workflow finds the update: at its acceptance, or just in the run.
    private static func link(
        to update: UpdateRequest,
        _ status: UpdateStatus,
        _ workflowID: String,
        _ namespace: String
    ) -> Link? {
        if status.stage == .admitted { return nil }
        var link = Link()
        if case .failure = status.outcome?.value {
            var workflow = Link.Workflow()
            workflow.namespace = namespace
            workflow.workflowID = workflowID
            workflow.runID = status.runID.description
            workflow.reason = "Update rejected"
            link.variant = .workflow(workflow)
            return link
        }
        var reference = Link.WorkflowEvent.RequestIdReference()
        reference.requestID = update.request.requestID
        reference.eventType = .workflowExecutionUpdateAccepted
        var event = Link.WorkflowEvent()
        event.namespace = namespace
        event.workflowID = workflowID
        event.runID = status.runID.description
        event.reference = .requestIDRef(reference)
        link.variant = .workflowEvent(event)
        return link
    }

    private func pollUpdate(
        _ call: GRPCServerCall,
        _ request: PollWorkflowExecutionUpdateRequest
    ) throws(RequestError) {
        guard let update = request.updateRef else {
            _ = try self.namespace(request.namespace)
            throw .invalidArgument("UpdateRef is not set on request.")
        }
        let workflow = try self.workflow(update.workflowExecution, in: request.namespace)
        try check(identity: request.identity)
        if update.updateID.utf8.count > limits.identifierLength {
            throw .invalidArgument("UpdateId length exceeds limit.")
        }
        history.pollUpdate(
            workflow,
            id: update.updateID,
            waitingFor: request.waitPolicy?.lifecycleStage ?? .unspecified,
            deadline: updateDeadline(of: call),
            reply: reply(to: call) { status in
                var response = PollWorkflowExecutionUpdateResponse()
                response.outcome = status.outcome
                response.stage = status.stage
                response.updateRef = Self.reference(to: update.updateID, status.runID, workflow.key.workflowID)
                return response.serializedBytes()
            }
        )
    }
}
