internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// `sagamore operator cluster`: the server itself.
enum ClusterCommands {
    static let isDetailed = Flag("--detail", help: "Show versions and the number of shards, too.")

    static let health = Command(
        "health",
        abstract: "Ask whether the server is serving.",
        discussion: """
            It ends with 1 unless it is. Example:
            sagamore operator cluster health
            """,
        parameters: ServiceClient.parameters([])
    ) { values in
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let response = try await client.health()
            let status = response.status.description
            if format.isJSON {
                StandardOutput.show(format.text(of: ["status": .string(status)]))
            } else {
                StandardOutput.show(Color.green.paint(status, isOn: Color.isOn && response.status == .serving) + "\n")
            }
            guard response.status == .serving else { throw CommandFailure("the server is not serving") }
        }
    }

    static let describe = Command(
        "describe",
        abstract: "Describe the server and its stores.",
        discussion: """
            JSON is the protobuf JSON of the response. Example:
            sagamore operator cluster describe --detail
            """,
        parameters: ServiceClient.parameters([isDetailed])
    ) { values in
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let response: GetClusterInfoResponse = try await client.call(.getClusterInfo, GetClusterInfoRequest())
            if format.isJSON {
                StandardOutput.show(format.text(of: try ProtobufJSON.value(of: response)))
            } else {
                StandardOutput.show(text(response, isDetailed: values[isDetailed]))
            }
        }
    }

    static let system = Command(
        "system",
        abstract: "Show the server's version and what it can do.",
        discussion: """
            JSON is the protobuf JSON of the response. Example:
            sagamore operator cluster system
            """,
        parameters: ServiceClient.parameters([])
    ) { values in
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let response: GetSystemInfoResponse = try await client.call(.getSystemInfo, GetSystemInfoRequest())
            if format.isJSON {
                StandardOutput.show(format.text(of: try ProtobufJSON.value(of: response)))
            } else {
                StandardOutput.show(try text(response))
            }
        }
    }

    static func text(
        _ cluster: GetClusterInfoResponse,
        isDetailed: Bool,
        isColored: Bool = Color.isOn
    ) -> String {
        var properties = Properties()
        properties.add("ClusterName", cluster.clusterName)
        properties.add("PersistenceStore", cluster.persistenceStore)
        properties.add("VisibilityStore", cluster.visibilityStore)
        if isDetailed {
            properties.add("ClusterId", cluster.clusterID)
            properties.add("ServerVersion", cluster.serverVersion)
            properties.add("HistoryShardCount", String(cluster.historyShardCount))
            let clients = cluster.supportedClients.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            properties.add("SupportedClients", clients.joined(separator: ", "))
        }
        return properties.text(title: "Cluster:", isColored: isColored)
    }

    static func text(_ system: GetSystemInfoResponse, isColored: Bool = Color.isOn) throws -> String {
        var properties = Properties()
        properties.add("ServerVersion", system.serverVersion)
        let capabilities = system.capabilities ?? GetSystemInfoResponse.Capabilities()
        let members = try ProtobufJSON.value(of: capabilities).object?.members ?? []
        properties.add("Capabilities", members.filter { $0.value.bool == true }.map(\.key).joined(separator: ", "))
        return properties.text(title: "System:", isColored: isColored)
    }
}

extension ServiceClient {
    /// Whether the service serves, by gRPC's health check.
    fileprivate func health() async throws(CommandFailure) -> HealthCheckResponse {
        var request = HealthCheckRequest()
        request.service = "temporal.api.workflowservice.v1.WorkflowService"
        do throws(GRPCStatus) {
            return try await attempt("/grpc.health.v1.Health/Check", request)
        } catch {
            throw failure(error)
        }
    }
}
