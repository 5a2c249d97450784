internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreServices

/// A start and an update that take effect together (`ExecuteMultiOperation`).
extension GRPCFront {
    func updateWithStart(_ call: GRPCServerCall, _ request: ExecuteMultiOperationRequest) throws(RequestError) {
        let namespace = try self.namespace(request.namespace, starts: true)
        guard request.operations.count == 2,
            case .startWorkflow(let start)? = request.operations[0].operation,
            case .updateWorkflow(let update)? = request.operations[1].operation
        else { throw .invalidArgument("Operations have to be exactly [Start, Update].") }
        let (started, updated) = try operations(start, update, in: request.namespace)
        noteSizes(of: started.request, call)
        noteSize(update.request?.input?.args?.bytes.count, of: "args", call)
        history.startAndUpdate(
            started,
            updated.request,
            namespace: namespace.number,
            waitingFor: updated.stage,
            deadline: updateDeadline(of: call),
            reply: reply(to: call) { answer in
                let started = Self.response(to: answer, started.request, namespace.name)
                // As from Temporal's server, the link has the namespace that the operation names.
                let updated = Self.response(to: answer, updated.request, start.workflowID, update.namespace)
                return Self.response(started, updated).serializedBytes()
            }
        )
    }

    private struct ValidUpdate {
        let request: UpdateRequest
        let stage: UpdateWorkflowExecutionLifecycleStage
    }

    /// Checks each operation by itself, so that the caller hears of both.
    private func operations(
        _ start: StartWorkflowExecutionRequest,
        _ update: UpdateWorkflowExecutionRequest,
        in namespace: String
    ) throws(RequestError) -> (StartRequest, ValidUpdate) {
        let started = Result { () throws(RequestError) in try self.operation(start, in: namespace) }
        let updated = Result { () throws(RequestError) in
            let valid = try self.operation(update, in: namespace)
            if case .success = started, update.workflowExecution?.workflowID != start.workflowID {
                throw .invalidArgument("WorkflowId is not consistent with previous operation(s).")
            }
            return valid
        }
        if case .success(let started) = started, case .success(let updated) = updated { return (started, updated) }
        throw .updateWithStart([Self.outcome(of: started), Self.outcome(of: updated)])
    }

    /// What became of an operation that another one, or it itself, kept from being tried.
    private static func outcome<Valid>(of check: Result<Valid, RequestError>) -> RequestError.OperationOutcome {
        if case .failure(let error) = check { .failed(error) } else { .aborted }
    }

    private func operation(
        _ start: StartWorkflowExecutionRequest,
        in namespace: String
    ) throws(RequestError) -> StartRequest {
        try Self.check(start.namespace, against: namespace)
        let request = try startRequest(start, in: try self.namespace(namespace, starts: true))
        if !start.cronSchedule.isEmpty { throw .invalidArgument("CronSchedule is not allowed.") }
        if start.requestEagerExecution { throw .invalidArgument("RequestEagerExecution is not supported.") }
        if start.workflowStartDelay != nil { throw .invalidArgument("WorkflowStartDelay is not supported.") }
        return request
    }

    private func operation(
        _ update: UpdateWorkflowExecutionRequest,
        in namespace: String
    ) throws(RequestError) -> ValidUpdate {
        try Self.check(update.namespace, against: namespace)
        let workflow = try self.workflow(update.workflowExecution, in: namespace)
        let request = try updateRequest(update.request)
        let stage = try Self.stage(of: update.waitPolicy)
        if !update.firstExecutionRunID.isEmpty { throw .invalidArgument("FirstExecutionRunId is not allowed.") }
        if workflow.runID != nil { throw .invalidArgument("RunId is not allowed.") }
        return ValidUpdate(request: request, stage: stage)
    }

    private static func check(_ namespace: String, against whole: String) throws(RequestError) {
        guard namespace.isEmpty || namespace == whole else {
            throw .invalidArgument("Operation namespace did not match request's namespace.")
        }
    }

    private static func response(
        to answer: StartedUpdate,
        _ start: StartWorkflowExecutionRequest,
        _ namespace: String
    ) -> StartWorkflowExecutionResponse {
        var response = response(to: answer.run, start, namespace)
        if !answer.run.isNew { response.firstExecutionRunID = "" }
        if answer.isRepeated { response.link = nil }
        return response
    }

    private static func response(
        to answer: StartedUpdate,
        _ update: UpdateRequest,
        _ workflowID: String,
        _ namespace: String
    ) -> UpdateWorkflowExecutionResponse {
        var response = response(to: update, answer.update, workflowID, namespace)
        if answer.isRepeated { response.link = nil }
        return response
    }

    private static func response(
        _ started: StartWorkflowExecutionResponse,
        _ updated: UpdateWorkflowExecutionResponse
    ) -> ExecuteMultiOperationResponse {
        var responses = [ExecuteMultiOperationResponse.Response(), ExecuteMultiOperationResponse.Response()]
        responses[0].response = .startWorkflow(started)
        responses[1].response = .updateWorkflow(updated)
        var response = ExecuteMultiOperationResponse()
        response.responses = responses
        return response
    }
}
