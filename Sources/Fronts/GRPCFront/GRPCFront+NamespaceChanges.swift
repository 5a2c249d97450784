internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Changes of namespaces: update, deprecate, delete.
extension GRPCFront {
    func registerNamespaceChanges(on server: GRPCServer) {
        register(.updateNamespace, on: server, .cold) {
            [self] (call, request: UpdateNamespaceRequest) throws(RequestError) in
            call.reply(try update(request).serializedBytes())
        }
        register(.deprecateNamespace, on: server, .cold) {
            [self] (call, request: DeprecateNamespaceRequest) throws(RequestError) in
            _ = try existing(request.namespace)
            var change = NamespaceChange()
            change.state = .deprecated
            _ = try namespaces.update(request.namespace, change)
            log.info("namespace deprecated", metadata: ["namespace": "\(request.namespace)"])
            call.reply([])
        }
        register(.deleteNamespace, on: server, .cold) {
            [self] (call, request: DeleteNamespaceRequest) throws(RequestError) in
            call.reply(try delete(request).serializedBytes())
        }
    }

    private func update(_ request: UpdateNamespaceRequest) throws(RequestError) -> UpdateNamespaceResponse {
        let record = try existing(request.namespace)
        let change = try self.change(of: record, request)
        let changed = try namespaces.update(record.name, change)
        log.info("namespace updated", metadata: ["namespace": "\(record.name)"])
        let described = description(of: changed)
        var response = UpdateNamespaceResponse()
        response.namespaceInfo = described.namespaceInfo
        response.config = described.config
        // Shown with the answer and not kept, as by Temporal's server: such binaries are a feature of old workers.
        if let binaries = request.config?.badBinaries { response.config?.badBinaries = binaries }
        response.replicationConfig = described.replicationConfig
        return response
    }

    /// The change that a request asks for. What is empty stays; archival is not available, and ignored.
    private func change(
        of record: NamespaceRecord,
        _ request: UpdateNamespaceRequest
    ) throws(RequestError) -> NamespaceChange {
        var change = NamespaceChange()
        if let info = request.updateInfo {
            try check(info)
            if !info.description.isEmpty { change.description = info.description }
            if !info.ownerEmail.isEmpty { change.ownerEmail = info.ownerEmail }
            change.data = info.data
            if info.state != .unspecified {
                guard Self.mayChange(record.state, to: info.state) else {
                    throw .invalidArgument("Invalid namespace state update.")
                }
                change.state = info.state
            }
        }
        if let retention = request.config?.workflowExecutionRetentionTtl {
            change.retention = try checkedRetention(retention)
        }
        if !request.deleteBadBinary.isEmpty {
            throw .invalidArgument("Bad binary checksum \(request.deleteBadBinary) doesn't exists.")
        }
        if request.promoteNamespace {
            throw .invalidArgument(
                "global namespace is not enabled on this cluster, cannot update global namespace or promote local "
                    + "namespace: \(record.name)"
            )
        }
        if let replication = request.replicationConfig {
            try checkCluster(replication.activeClusterName)
            for other in replication.clusters { try checkCluster(other.clusterName) }
        }
        return change
    }

    private func check(_ info: UpdateNamespaceInfo) throws(RequestError) {
        for (field, text) in [("Description", info.description), ("OwnerEmail", info.ownerEmail)] where text.holdsNUL {
            throw .invalidArgument("\(field) must not contain NUL.")
        }
        for (key, value) in info.data where key.holdsNUL || value.holdsNUL {
            throw .invalidArgument("Data must not contain NUL.")
        }
    }

    /// A state never goes back.
    private static func mayChange(_ state: NamespaceState, to new: NamespaceState) -> Bool {
        switch state {
        case .registered: [.registered, .deprecated, .deleted].contains(new)
        case .deprecated: [.deprecated, .deleted].contains(new)
        default: false
        }
    }

    private func delete(_ request: DeleteNamespaceRequest) throws(RequestError) -> DeleteNamespaceResponse {
        if !request.namespace.isEmpty, !request.namespaceID.isEmpty {
            throw .invalidArgument("Only one of namespace name or Id should be set on request.")
        }
        let record = try existing(request.namespace, id: request.namespaceID)
        let deleted = try namespaces.delete(record.name)
        log.info("namespace deleted", metadata: ["namespace": "\(record.name)", "renamed": "\(deleted.name)"])
        var response = DeleteNamespaceResponse()
        response.deletedNamespace = deleted.name
        return response
    }
}
