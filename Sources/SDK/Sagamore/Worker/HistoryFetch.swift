internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// Fetches the whole history of a run, page by page.
enum HistoryFetch {
    /// The limit for each page: the default timeout of a workflow task.
    private static let limit = Duration.seconds(10)

    /// Calls `completion` with all events or an error, on the connection's thread.
    static func whole(
        of execution: WorkflowExecution,
        namespace: String,
        service: ServiceConnection,
        completion: @escaping @Sendable (Result<[HistoryEvent], any Error>) -> Void
    ) {
        var request = GetWorkflowExecutionHistoryRequest()
        request.namespace = namespace
        request.execution = execution
        next(request, [], service, completion)
    }

    private static func next(
        _ request: GetWorkflowExecutionHistoryRequest,
        _ events: [HistoryEvent],
        _ service: ServiceConnection,
        _ completion: @escaping @Sendable (Result<[HistoryEvent], any Error>) -> Void
    ) {
        service.deliver(.getWorkflowExecutionHistory, request.serializedBytes(), within: limit) { result in
            let response: GetWorkflowExecutionHistoryResponse
            do {
                response = try GetWorkflowExecutionHistoryResponse(serializedBytes: try result.get())
            } catch {
                return completion(.failure(error))
            }
            let events = events + (response.history?.events ?? [])
            guard !response.nextPageToken.isEmpty else { return completion(.success(events)) }
            var request = request
            request.nextPageToken = response.nextPageToken
            next(request, events, service, completion)
        }
    }
}
