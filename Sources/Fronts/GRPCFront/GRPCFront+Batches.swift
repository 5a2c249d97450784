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
            var request = request
            try check(request)
            request.executions += request.targetExecutions.map { WorkflowExecution($0) }
            request.targetExecutions = []
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
        let ways = [
            !request.visibilityQuery.isEmpty, !request.executions.isEmpty, !request.targetExecutions.isEmpty,
        ].count { $0 }
        guard let operation = request.operation, !request.reason.isEmpty, ways > 0 else {
            throw .invalidArgument(
                "must provide required parameters: BatchType,Reason,Namespace, AND one of (Query OR Executions OR"
                    + " TargetExecutions)"
            )
        }
        try checkJobID(request.jobID)
        if ways > 1 {
            throw .invalidArgument("visibility query, executions, and target executions are mutually exclusive")
        }
        for (index, target) in request.targetExecutions.enumerated() where target.type != .workflow {
            let type = target.type == .activity ? "Activity" : "Unspecified"
            throw .invalidArgument(
                "target_executions[\(index)] has type \(type), but operation "
                    + "*workflowservice.StartBatchOperationRequest_\(operation.contractName) requires Workflow"
            )
        }
        for name in request.executions.map(\.workflowID) + request.targetExecutions.map(\.businessID) {
            guard !name.holdsNUL, name.utf8.count <= limits.identifierLength else {
                throw .invalidArgument("a workflow id of the executions is too long, or holds NUL")
            }
        }
    }
}

extension WorkflowExecution {
    fileprivate init(_ execution: SagamoreAPI.Execution) {
        self.init()
        workflowID = execution.businessID
        runID = execution.runID
    }
}

extension StartBatchOperationRequest.OneOf_Operation {
    /// The name of the field in Go, as in the errors of Temporal's server.
    fileprivate var contractName: String {
        let label = Mirror(reflecting: self).children.first?.label ?? ""
        return label.prefix(1).uppercased() + label.dropFirst()
    }
}
