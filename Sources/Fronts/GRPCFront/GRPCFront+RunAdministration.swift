internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPCServer
internal import SagamoreServices

/// What administrators do to runs.
extension GRPCFront {
    func registerRunAdministration(on server: GRPCServer) {
        register(.deleteWorkflowExecution, on: server, .hot) {
            [self] (call, request: DeleteWorkflowExecutionRequest) throws(RequestError) in
            let workflow = try self.workflow(request.workflowExecution, in: request.namespace)
            history.delete(workflow, reply: emptyReply(to: call))
        }
    }
}
