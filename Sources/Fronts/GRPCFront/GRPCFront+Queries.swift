internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Queries from clients, and their answers from workers.
extension GRPCFront {
    func registerQueries(on server: GRPCServer) {
        register(.queryWorkflow, on: server, .hot) {
            [self] (call, request: QueryWorkflowRequest) throws(RequestError) in
            try query(call, request)
        }
        register(.respondQueryTaskCompleted, on: server, .hot) {
            [self] (call, request: RespondQueryTaskCompletedRequest) throws(RequestError) in
            try answerQuery(call, request)
        }
    }

    private func query(_ call: GRPCServerCall, _ request: QueryWorkflowRequest) throws(RequestError) {
        let workflow = try self.workflow(request.execution, in: request.namespace)
        guard let query = request.query else { throw .invalidArgument("WorkflowQuery is not set on request.") }
        try checkIdentifier(query.queryType, "QueryType", missing: "QueryType is not set on request.", limits)
        try checkSize(query.queryArgs?.bytes.count, of: "query_args", call)
        history.query(
            workflow,
            query,
            rejecting: request.queryRejectCondition,
            deadline: deadline(of: call, atMost: .seconds(3_600), slack: .zero) ?? clock() + Self.unlimitedQuery,
            reply: reply(to: call) { outcome in
                var response = QueryWorkflowResponse()
                switch outcome {
                case .answered(let result):
                    response.queryResult = result
                case .rejected(let status):
                    var rejected = QueryRejected()
                    rejected.status = status
                    response.queryRejected = rejected
                }
                return response.serializedBytes()
            }
        )
    }

    /// How long a query without a deadline waits for a worker. SDKs' default: 30 s.
    private static let unlimitedQuery = Interval.seconds(30)

    private func answerQuery(_ call: GRPCServerCall, _ request: RespondQueryTaskCompletedRequest) throws(RequestError) {
        let token = try queryToken(request.taskToken, in: request.namespace)
        let answer: QueryAnswer
        switch request.completedType {
        case .answered where isTooLarge(request.queryResult?.bytes.count, "query_result", call):
            answer = .failed(message: "Blob data size exceeds limit.", nil)
        case .answered:
            answer = .answered(request.queryResult)
        case .failed:
            answer = .failed(message: request.errorMessage, request.failure)
        default:
            throw .invalidArgument("CompletedType is not set on request.")
        }
        history.answerQuery(token, answer, reply: emptyReply(to: call))
    }
}
