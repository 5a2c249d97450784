internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreServices

/// Batches: the same for many runs.
extension GRPCFront {
    func registerBatches(on server: GRPCServer) {
        register(.startBatchOperation, on: server, .hot) {
            [self] (call, request: StartBatchOperationRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try check(request)
            try checkSize(request.reason.utf8.count, of: "reason", call)
            batches.start(request, in: namespace, reply: emptyReply(to: call))
        }
        register(.stopBatchOperation, on: server, .hot) {
            [self] (call, request: StopBatchOperationRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkJobID(request.jobID)
            if request.reason.isEmpty { throw .invalidArgument("Reason is not set on request.") }
            try check(identity: request.identity)
            batches.stop(request, in: namespace, reply: emptyReply(to: call))
        }
        register(.describeBatchOperation, on: server, .hot) {
            [self] (call, request: DescribeBatchOperationRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkJobID(request.jobID)
            batches.describe(
                request.jobID,
                in: namespace,
                reply: reply(to: call) { $0.serializedBytes() }
            )
        }
        register(.listBatchOperations, on: server, .hot) {
            [self] (call, request: ListBatchOperationsRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            batches.list(request, in: namespace, reply: reply(to: call) { $0.serializedBytes() })
        }
    }

    private func checkJobID(_ id: String) throws(RequestError) {
        try checkIdentifier(id, "JobId", missing: "JobId is not set on request.", limits)
    }

    private func check(_ request: StartBatchOperationRequest) throws(RequestError) {
        guard request.targetExecutions.isEmpty else {
            throw RequestError(.unimplemented, "target_executions are not available in this version of sagamore")
        }
        let (hasQuery, hasExecutions) = (!request.visibilityQuery.isEmpty, !request.executions.isEmpty)
        guard request.operation != nil, !request.reason.isEmpty, hasQuery || hasExecutions else {
            throw .invalidArgument(
                "must provide required parameters: BatchType,Reason,Namespace, AND one of (Query OR Executions OR"
                    + " TargetExecutions)"
            )
        }
        try checkJobID(request.jobID)
        if hasQuery, hasExecutions {
            throw .invalidArgument("visibility query, executions, and target executions are mutually exclusive")
        }
        for execution in request.executions {
            let name = execution.workflowID
            guard !name.holdsNUL, name.utf8.count <= limits.identifierLength else {
                throw .invalidArgument("a workflow id of the executions is too long, or holds NUL")
            }
        }
    }
}
