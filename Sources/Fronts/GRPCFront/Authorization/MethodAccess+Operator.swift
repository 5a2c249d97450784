public import SagamoreAPI

extension MethodAccess {
    /// What a call of the operators' service needs.
    public init(_ method: OperatorServiceMethod) {
        switch method {
        case .listSearchAttributes:
            self.init(.read)
        case .addSearchAttributes, .removeSearchAttributes, .deleteNamespace:
            self.init(.admin)
        case .listClusters, .getNexusEndpoint, .listNexusEndpoints:
            self.init(.read, .system)
        case .addOrUpdateRemoteCluster, .removeRemoteCluster, .createNexusEndpoint, .updateNexusEndpoint,
            .deleteNexusEndpoint:
            self.init(.admin, .system)
        }
    }
}
