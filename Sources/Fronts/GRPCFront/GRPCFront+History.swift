internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Reads of a workflow: its description and its history.
extension GRPCFront {
    func registerHistory(on server: GRPCServer) {
        register(.describeWorkflowExecution, on: server, .hot) {
            [self] (call, request: DescribeWorkflowExecutionRequest) throws(RequestError) in
            let workflow = try self.workflow(request.execution, in: request.namespace)
            history.describe(workflow, reply: reply(to: call) { $0.serializedBytes() })
        }
        register(.getWorkflowExecutionHistory, on: server, .hot) {
            [self] (call, request: GetWorkflowExecutionHistoryRequest) throws(RequestError) in
            try readHistory(call, request)
        }
    }

    private func readHistory(
        _ call: GRPCServerCall,
        _ request: GetWorkflowExecutionHistoryRequest
    ) throws(RequestError) {
        let workflow = try self.workflow(request.execution, in: request.namespace)
        let size = Int(request.maximumPageSize)
        let read = HistoryRead(
            pageToken: request.nextPageToken,
            pageSize: size > 0 ? min(size, Self.largestPage) : Self.usualPage,
            waitsForNews: request.waitNewEvent,
            onlyCloseEvent: request.historyEventFilterType == .closeEvent,
            deadline: deadline(of: call, atMost: Self.longestWait, slack: .seconds(1)) ?? clock() + Self.longestWait
        )
        let reply = Reply<HistoryPage> { [self] outcome in
            switch outcome {
            case .success(let page): call.reply(Self.response(page))
            case .failure(let error): refuse(call, error)
            }
        }
        history.readHistory(workflow, read, reply: reply)
    }

    /// The default number of events in a page. Temporal default: 256.
    static let usualPage = 256
    static let largestPage = 1_000

    /// The answer is empty after this time without news, and the client asks again. Temporal default: 20 s.
    private static let longestWait = Interval.seconds(20)

    /// The answer in parts: the events are sent as they are stored. The history field is present even when it is empty,
    /// because clients rely on it.
    private static func response(_ page: HistoryPage) -> [[UInt8]] {
        var response = GetWorkflowExecutionHistoryResponse()
        response.nextPageToken = page.nextPageToken
        var head = response.serializedBytes()
        head.appendLengthDelimited(field: 1, length: page.frames.count)
        return [head, page.frames]
    }
}
