internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// The calls that clients make when they connect.
extension GRPCFront {
    func registerSystem(on server: GRPCServer) {
        register(.getSystemInfo, on: server, .cold) { [self] (call, _: GetSystemInfoRequest) throws(RequestError) in
            call.reply(systemInfo().serializedBytes())
        }
        register(.getClusterInfo, on: server, .cold) { [self] (call, _: GetClusterInfoRequest) throws(RequestError) in
            call.reply(clusterInfo().serializedBytes())
        }
    }

    private func systemInfo() -> GetSystemInfoResponse {
        var capabilities = GetSystemInfoResponse.Capabilities()
        capabilities.signalAndQueryHeader = true
        capabilities.internalErrorDifferentiation = true
        capabilities.activityFailureIncludeHeartbeat = true
        capabilities.encodedFailureAttributes = true
        capabilities.buildIDBasedVersioning = true
        capabilities.upsertMemo = true
        capabilities.sdkMetadata = true
        capabilities.eagerWorkflowStart = true
        var response = GetSystemInfoResponse()
        response.serverVersion = cluster.serverVersion
        response.capabilities = capabilities
        return response
    }

    private func clusterInfo() -> GetClusterInfoResponse {
        var response = GetClusterInfoResponse()
        response.supportedClients = Self.supportedClients
        response.serverVersion = cluster.serverVersion
        response.clusterID = cluster.clusterID
        response.clusterName = cluster.clusterName
        response.historyShardCount = Int32(clamping: cluster.shards)
        response.persistenceStore = "postgresql"
        response.visibilityStore = "postgresql"
        return response
    }

    /// Client names, as in the metadata `client-name`, and their supported versions.
    private static let supportedClients: ProtobufMap = [
        "temporal-cli": "<2.0.0",
        "temporal-dotnet": "<2.0.0",
        "temporal-go": "<2.0.0",
        "temporal-java": "<2.0.0",
        "temporal-php": "<3.0.0",
        "temporal-python": "<2.0.0",
        "temporal-ruby": "<2.0.0",
        "temporal-server": "<2.0.0",
        "temporal-typescript": "<2.0.0",
        "temporal-ui": "<3.0.0",
    ]
}
