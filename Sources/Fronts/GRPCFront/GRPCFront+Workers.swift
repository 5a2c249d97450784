internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Workers, as their heartbeats show them.
extension GRPCFront {
    func registerWorkers(on server: GRPCServer) {
        register(.recordWorkerHeartbeat, on: server, .hot) {
            [self] (call, request: RecordWorkerHeartbeatRequest) throws(RequestError) in
            try record(request)
            call.reply([])
        }
        register(.listWorkers, on: server, .cold) {
            [self] (call, request: ListWorkersRequest) throws(RequestError) in
            call.reply(try list(request).serializedBytes())
        }
        register(.countWorkers, on: server, .cold) {
            [self] (call, request: CountWorkersRequest) throws(RequestError) in
            let namespace = try self.namespace(request.namespace)
            try check(query: request.query)
            var response = CountWorkersResponse()
            response.count = Int64(found(request.query, in: namespace.number).count)
            call.reply(response.serializedBytes())
        }
        register(.describeWorker, on: server, .cold) {
            [self] (call, request: DescribeWorkerRequest) throws(RequestError) in
            call.reply(try describe(request).serializedBytes())
        }
    }

    /// Commands to workers are not part of this version: Temporal's server has them off by default, too. Refused before
    /// the other methods that this version lacks, since the first refusal holds.
    func refuseWorkerCommands(on server: GRPCServer) {
        for method in [WorkflowServiceMethod.fetchWorkerConfig, .updateWorkerConfig] {
            let name = method.rawValue.split(separator: "/").last ?? ""
            server.refuse(method.rawValue, with: .init(.unimplemented, "\(name) command is not enabled."))
        }
    }

    private func record(_ request: RecordWorkerHeartbeatRequest) throws(RequestError) {
        let namespace = try self.namespace(request.namespace)
        let now = clock()
        for heartbeat in request.workerHeartbeat { record(heartbeat, in: namespace.number, at: now) }
    }

    /// Notes the heartbeat of a worker, unless it has names that no worker can have.
    func record(_ heartbeat: WorkerHeartbeat, in namespace: Int32, at now: Instant) {
        guard heartbeat.workerInstanceKey.utf8.count <= limits.identifierLength else { return }
        let size = heartbeat.serializedBytes().count
        workers.withLock { $0.record(heartbeat, bytes: size, in: namespace, at: now) }
    }

    private func found(_ query: String, in namespace: Int32) -> [WorkerHeartbeat] {
        let (query, now) = (WorkerQuery(query), clock())
        return workers.withLock { $0.workers(of: namespace, query, at: now) }
    }

    private func check(query: String) throws(RequestError) {
        if query.utf8.count > Self.longestQuery { throw .invalidArgument("Query length exceeds limit.") }
    }

    private func list(_ request: ListWorkersRequest) throws(RequestError) -> ListWorkersResponse {
        let namespace = try self.namespace(request.namespace)
        try check(query: request.query)
        var listed = found(request.query, in: namespace.number)
        if !request.nextPageToken.isEmpty {
            // The instance key of the last worker that was listed.
            guard request.nextPageToken.starts(with: Self.tokenPrefix),
                let last = String(validating: request.nextPageToken.dropFirst(Self.tokenPrefix.count), as: UTF8.self)
            else { throw .invalidArgument("invalid next_page_token") }
            listed.removeAll { !(ExactText(last) < ExactText($0.workerInstanceKey)) }
        }
        let size = request.pageSize > 0 ? min(Int(request.pageSize), Self.workersInPage) : Self.workersInPage
        let page = listed.prefix(size)
        var response = ListWorkersResponse()
        response.workersInfo = page.map { WorkerInfo($0) }
        response.workers = page.map { WorkerListInfo($0) }
        if let last = page.last, listed.count > page.count {
            response.nextPageToken = Self.tokenPrefix + Array(last.workerInstanceKey.utf8)
        }
        return response
    }

    private func describe(_ request: DescribeWorkerRequest) throws(RequestError) -> DescribeWorkerResponse {
        let namespace = try self.namespace(request.namespace)
        let (key, now) = (request.workerInstanceKey, clock())
        guard let worker = workers.withLock({ $0.worker(key, in: namespace.number, at: now) }) else {
            throw RequestError(.notFound, "Worker \(key.prefix(utf8: 1_000)) not found")
        }
        var response = DescribeWorkerResponse()
        response.workerInfo = WorkerInfo(worker)
        return response
    }

    private static let workersInPage = 1_000
    private static let longestQuery = 4_096
    private static let tokenPrefix = Array("worker:".utf8)
}

extension WorkerInfo {
    fileprivate init(_ worker: WorkerHeartbeat) {
        self.init()
        workerHeartbeat = worker
    }
}

extension WorkerListInfo {
    fileprivate init(_ worker: WorkerHeartbeat) {
        self.init()
        workerInstanceKey = worker.workerInstanceKey
        workerIdentity = worker.workerIdentity
        taskQueue = worker.taskQueue
        deploymentVersion = worker.deploymentVersion
        sdkName = worker.sdkName
        sdkVersion = worker.sdkVersion
        status = worker.status
        startTime = worker.startTime
        hostName = worker.hostInfo?.hostName ?? ""
        workerGroupingKey = worker.hostInfo?.workerGroupingKey ?? ""
        processID = worker.hostInfo?.processID ?? ""
        plugins = worker.plugins
        drivers = worker.drivers
    }
}
