internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Lists and counts of runs.
extension GRPCFront {
    func registerVisibility(on server: GRPCServer) {
        register(.listWorkflowExecutions, on: server, .hot) {
            [self] (call, request: ListWorkflowExecutionsRequest) throws(RequestError) in
            visibility.list(
                try list(request.namespace, request.query, request.pageSize, request.nextPageToken),
                reply: reply(to: call) { ListWorkflowExecutionsResponse(page: $0).serializedBytes() }
            )
        }
        register(.scanWorkflowExecutions, on: server, .hot) {
            [self] (call, request: ScanWorkflowExecutionsRequest) throws(RequestError) in
            visibility.list(
                try list(request.namespace, request.query, request.pageSize, request.nextPageToken),
                reply: reply(to: call) { ScanWorkflowExecutionsResponse(page: $0).serializedBytes() }
            )
        }
        register(.countWorkflowExecutions, on: server, .hot) {
            [self] (call, request: CountWorkflowExecutionsRequest) throws(RequestError) in
            visibility.count(
                request.query,
                in: try namespace(request.namespace),
                reply: reply(to: call) { Self.response(to: $0).serializedBytes() }
            )
        }
        registerOldLists(on: server)
    }

    /// The most runs of a page, also where the request asks for more, or names no number.
    private static let pageLimit: Int32 = 1_000

    func list(
        _ namespace: String,
        _ query: String,
        _ pageSize: Int32,
        _ token: [UInt8]
    ) throws(RequestError) -> ListRequest {
        ListRequest(
            namespace: try self.namespace(namespace),
            query: query,
            limit: Int((1...Self.pageLimit).contains(pageSize) ? pageSize : Self.pageLimit),
            token: token
        )
    }

    private static func response(to counts: [CountedRuns]) -> CountWorkflowExecutionsResponse {
        var response = CountWorkflowExecutionsResponse()
        for counted in counts {
            response.count += counted.count
            guard let group = counted.group else { continue }
            var encoded = CountWorkflowExecutionsResponse.AggregationGroup()
            encoded.groupValues = [RawMessage(Payload(group))]
            encoded.count = counted.count
            response.groups.append(encoded)
        }
        return response
    }

    // MARK: Old lists

    private func registerOldLists(on server: GRPCServer) {
        register(.listOpenWorkflowExecutions, on: server, .hot) {
            [self] (call, request: ListOpenWorkflowExecutionsRequest) throws(RequestError) in
            var terms = ["ExecutionStatus = 'Running'"]
            switch request.filters {
            case .executionFilter(let filter): terms.append("WorkflowId = \(filter.workflowID.quoted)")
            case .typeFilter(let filter): terms.append("WorkflowType = \(filter.name.quoted)")
            case nil: break
            }
            terms += try Self.terms(request.startTimeFilter, of: "StartTime")
            let query = terms.joined(separator: " AND ")
            visibility.list(
                try list(request.namespace, query, request.maximumPageSize, request.nextPageToken),
                reply: reply(to: call) { ListOpenWorkflowExecutionsResponse(page: $0).serializedBytes() }
            )
        }
        register(.listClosedWorkflowExecutions, on: server, .hot) {
            [self] (call, request: ListClosedWorkflowExecutionsRequest) throws(RequestError) in
            var terms = ["ExecutionStatus != 'Running'", "CloseTime IS NOT NULL"]
            switch request.filters {
            case .executionFilter(let filter): terms.append("WorkflowId = \(filter.workflowID.quoted)")
            case .typeFilter(let filter): terms.append("WorkflowType = \(filter.name.quoted)")
            case .statusFilter(let filter):
                guard filter.status != .unspecified, filter.status != .running else {
                    throw .invalidArgument("StatusFilter must be specified and must be not Running.")
                }
                terms.append("ExecutionStatus = \(filter.status.rawValue)")
            case nil: break
            }
            terms += try Self.terms(request.startTimeFilter, of: "CloseTime")
            let query = terms.joined(separator: " AND ") + " ORDER BY CloseTime DESC"
            visibility.list(
                try list(request.namespace, query, request.maximumPageSize, request.nextPageToken),
                reply: reply(to: call) { ListClosedWorkflowExecutionsResponse(page: $0).serializedBytes() }
            )
        }
    }

    private static func terms(_ filter: StartTimeFilter?, of name: String) throws(RequestError) -> [String] {
        let (earliest, latest) = (filter?.earliestTime, filter?.latestTime)
        if let earliest, let latest, Instant(earliest) > Instant(latest) {
            throw .invalidArgument("EarliestTime in StartTimeFilter should not be larger than LatestTime.")
        }
        return [
            earliest.map { "\(name) >= \(Instant($0).nanoseconds)" },
            latest.map { "\(name) <= \(Instant($0).nanoseconds)" },
        ].compactMap { $0 }
    }
}

/// A message that answers with a page of runs.
private protocol RunsResponse: ProtobufMessage {
    var executions: [WorkflowExecutionInfo] { get set }
    var nextPageToken: [UInt8] { get set }
    init()
}

extension RunsResponse {
    fileprivate init(page: ListedRuns) {
        self.init()
        executions = page.runs
        nextPageToken = page.token
    }
}

extension ListWorkflowExecutionsResponse: RunsResponse {}
extension ScanWorkflowExecutionsResponse: RunsResponse {}
extension ListOpenWorkflowExecutionsResponse: RunsResponse {}
extension ListClosedWorkflowExecutionsResponse: RunsResponse {}

extension String {
    /// As a text in a filter.
    fileprivate var quoted: String {
        "'" + replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }
}

extension Payload {
    /// What the runs of a group have in common: null for those that lack it.
    fileprivate init(_ group: CountedRuns.Group) {
        self.init(searchAttribute: Array(group.value?.json.utf8 ?? "null".utf8), type: group.type)
    }
}
