internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreServices

/// Histories that are read from their end.
extension GRPCFront {
    func registerReversedHistory(on server: GRPCServer) {
        register(.getWorkflowExecutionHistoryReverse, on: server, .hot) {
            [self] (call, request: GetWorkflowExecutionHistoryReverseRequest) throws(RequestError) in
            let workflow = try self.workflow(request.execution, in: request.namespace)
            let size = Int(request.maximumPageSize)
            let read = HistoryRead(
                pageToken: request.nextPageToken,
                pageSize: size > 0 ? min(size, Self.largestPage) : Self.usualPage,
                waitsForNews: false,
                onlyCloseEvent: false,
                deadline: clock(),
                isReversed: true
            )
            let reply = Reply<HistoryPage> { [self] outcome in
                switch outcome {
                case .success(let page): call.reply(Self.reversedResponse(page))
                case .failure(let error): refuse(call, error)
                }
            }
            history.readHistory(workflow, read, reply: reply)
        }
    }

    /// In parts, like the response of a read from the beginning.
    private static func reversedResponse(_ page: HistoryPage) -> [[UInt8]] {
        var response = GetWorkflowExecutionHistoryReverseResponse()
        response.nextPageToken = page.nextPageToken
        var head = response.serializedBytes()
        head.appendLengthDelimited(field: 1, length: page.frames.count)
        return [head, page.frames]
    }
}
