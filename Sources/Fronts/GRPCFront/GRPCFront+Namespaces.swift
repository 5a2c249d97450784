internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Namespaces: describe, list, register.
extension GRPCFront {
    func registerNamespaces(on server: GRPCServer) {
        register(.describeNamespace, on: server, .cold) {
            [self] (call, request: DescribeNamespaceRequest) throws(RequestError) in
            call.reply(description(of: try find(request)).serializedBytes())
        }
        register(.listNamespaces, on: server, .cold) {
            [self] (call, request: ListNamespacesRequest) throws(RequestError) in
            call.reply(try list(request).serializedBytes())
        }
        // Blocks until the namespace is durable, as the others that change namespaces do.
        register(.registerNamespace, on: server, .cold) {
            [self] (call, request: RegisterNamespaceRequest) throws(RequestError) in
            try add(request)
            call.reply([])
        }
        registerNamespaceChanges(on: server)
    }

    private func find(_ request: DescribeNamespaceRequest) throws(RequestError) -> NamespaceRecord {
        if !request.namespace.isEmpty, !request.id.isEmpty {
            throw .invalidArgument("GetNamespace operation failed.  Both ID and Name specified in request.")
        }
        return try existing(request.namespace, id: request.id)
    }

    /// The namespace with a name or an id, whatever its state. A deleted one may have disappeared.
    func existing(_ name: String, id: String = "") throws(RequestError) -> NamespaceRecord {
        if name.isEmpty, id.isEmpty { throw .invalidArgument("Namespace not set on request.") }
        if name.utf8.count > limits.identifierLength { throw .invalidArgument("Namespace length exceeds limit.") }
        func look() -> NamespaceRecord? {
            name.isEmpty ? namespaces.list().first { $0.id == id } : try? namespaces.namespace(named: name)
        }
        var record = look()
        if record?.isDeleted == true {
            try namespaces.refresh()
            record = look()
        }
        guard let record else { throw .namespaceNotFound(name.isEmpty ? id : name) }
        return record
    }

    private func list(_ request: ListNamespacesRequest) throws(RequestError) -> ListNamespacesResponse {
        let includesDeleted = request.namespaceFilter?.includeDeleted == true
        if includesDeleted { try namespaces.refresh() }
        var records = namespaces.list().filter { includesDeleted || $0.state != .deleted }
            .sorted { $0.number < $1.number }
        if !request.nextPageToken.isEmpty {
            // The number of the last namespace that was listed.
            guard let last = Int32(String(decoding: request.nextPageToken, as: UTF8.self)) else {
                throw .invalidArgument("Invalid NextPageToken.")
            }
            records.removeAll { $0.number <= last }
        }
        let size = request.pageSize > 0 ? min(Int(request.pageSize), Self.namespacesInPage) : Self.namespacesInPage
        let page = records.prefix(size)
        var response = ListNamespacesResponse()
        response.namespaces = page.map { description(of: $0) }
        if let last = page.last, records.count > page.count { response.nextPageToken = Array("\(last.number)".utf8) }
        return response
    }

    /// Temporal default: 100.
    private static let namespacesInPage = 100

    private func add(_ request: RegisterNamespaceRequest) throws(RequestError) {
        let name = request.namespace
        try checkIdentifier(name, "Namespace", missing: "Namespace not set on request.", limits)
        for (field, text) in [("Description", request.description), ("OwnerEmail", request.ownerEmail)] {
            if text.holdsNUL { throw .invalidArgument("\(field) must not contain NUL.") }
        }
        for (key, value) in request.data where key.holdsNUL || value.holdsNUL {
            throw .invalidArgument("Data must not contain NUL.")
        }
        try checkCluster(request.activeClusterName)
        for other in request.clusters { try checkCluster(other.clusterName) }
        if request.isGlobalNamespace { throw .invalidArgument("Cannot register global namespace when not enabled") }
        let retention = try checkedRetention(request.workflowExecutionRetentionPeriod)
        do throws(RequestError) {
            let record = try namespaces.register(
                name: name,
                description: request.description,
                ownerEmail: request.ownerEmail,
                retention: retention,
                data: request.data
            )
            log.info("namespace registered", metadata: ["namespace": "\(record.name)"])
        } catch {
            guard error.code == .alreadyExists else { throw error }
            let message = "Namespace \"\(name)\" already exists"
            throw RequestError(.alreadyExists, message, detail: .namespaceAlreadyExists)
        }
    }

    /// - Throws: `invalidArgument` for a retention that is too short, or not set.
    func checkedRetention(_ duration: ProtobufDuration?) throws(RequestError) -> Interval {
        let retention = Interval(duration)
        guard retention >= Self.shortestRetention else {
            throw .invalidArgument("A valid retention period is not set on request.")
        }
        return retention
    }

    /// Temporal's limit for namespaces of one cluster: 1 h.
    private static let shortestRetention = Interval.seconds(3_600)

    /// - Throws: `invalidArgument` for a cluster that is not this one. An empty name stands for it.
    func checkCluster(_ name: String) throws(RequestError) {
        guard name.isEmpty || name == cluster.clusterName else {
            throw .invalidArgument("Invalid cluster name: \(name)")
        }
    }

    func description(of record: NamespaceRecord) -> DescribeNamespaceResponse {
        // Polls end when their worker shuts down.
        var capabilities = NamespaceInfo.Capabilities()
        capabilities.workerPollCompleteOnShutdown = true
        capabilities.workerHeartbeats = true
        capabilities.pollerAutoscaling = true
        capabilities.syncUpdate = true
        capabilities.asyncUpdate = true
        var bounds = NamespaceInfo.Limits()
        bounds.blobSizeLimitError = Int64(limits.payloadBytes)
        bounds.memoSizeLimitError = Int64(limits.memoBytes)
        var info = NamespaceInfo()
        info.name = record.name
        info.state = record.state
        info.description = record.description
        info.ownerEmail = record.ownerEmail
        info.data = record.data
        info.id = record.id
        info.capabilities = capabilities
        info.limits = bounds
        var config = NamespaceConfig()
        config.workflowExecutionRetentionTtl = record.retention.duration
        config.badBinaries = BadBinaries()
        config.historyArchivalState = .disabled
        config.visibilityArchivalState = .disabled
        var replica = ClusterReplicationConfig()
        replica.clusterName = cluster.clusterName
        var replication = NamespaceReplicationConfig()
        replication.activeClusterName = cluster.clusterName
        replication.clusters = [replica]
        replication.state = .normal
        var response = DescribeNamespaceResponse()
        response.namespaceInfo = info
        response.config = config
        response.replicationConfig = replication
        return response
    }
}
