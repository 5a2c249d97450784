internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreServices

/// What administrators do to runs.
extension GRPCFront {
    func registerRunAdministration(on server: GRPCServer) {
        register(.deleteWorkflowExecution, on: server, .hot) {
            [self] (call, request: DeleteWorkflowExecutionRequest) throws(RequestError) in
            let workflow = try self.workflow(request.workflowExecution, in: request.namespace)
            history.delete(workflow, reply: emptyReply(to: call))
        }
        register(.resetWorkflowExecution, on: server, .hot) {
            [self] (call, request: ResetWorkflowExecutionRequest) throws(RequestError) in
            try reset(call, request)
        }
        register(.updateWorkflowExecutionOptions, on: server, .hot) {
            [self] (call, request: UpdateWorkflowExecutionOptionsRequest) throws(RequestError) in
            try updateOptions(call, request)
        }
    }

    private func reset(_ call: GRPCServerCall, _ request: ResetWorkflowExecutionRequest) throws(RequestError) {
        let workflow = try self.workflow(request.workflowExecution, in: request.namespace)
        try check(identity: request.identity)
        let reset = try ResetRequest(request, limits: limits)
        history.reset(
            workflow,
            reset,
            reply: reply(to: call) { runID in
                var response = ResetWorkflowExecutionResponse()
                response.runID = runID.description
                return response.serializedBytes()
            }
        )
    }

    private func updateOptions(
        _ call: GRPCServerCall,
        _ request: UpdateWorkflowExecutionOptionsRequest
    ) throws(RequestError) {
        let execution = request.workflowExecution ?? WorkflowExecution()
        guard execution.runID.isEmpty || RunID(execution.runID) != nil else {
            throw .invalidArgument("RunId is not valid UUID.")
        }
        let workflow = try self.workflow(execution, in: request.namespace)
        guard let options = request.workflowExecutionOptions else {
            throw .invalidArgument(
                request.updateMask == nil ? "UpdateMask is required" : "WorkflowExecutionOptions is required"
            )
        }
        guard let mask = request.updateMask else { throw .invalidArgument("UpdateMask is required") }
        let change = try ExecutionOptionsRequest(
            options,
            paths: mask.paths,
            identity: request.identity,
            limits: limits
        )
        history.updateOptions(
            workflow,
            change,
            reply: reply(to: call) { options in
                var response = UpdateWorkflowExecutionOptionsResponse()
                response.workflowExecutionOptions = options
                return response.serializedBytes()
            }
        )
    }
}
