internal import SagamoreGRPC
public import SagamoreServer

extension Configuration {
    /// The certificates of the listeners, to be watched: their files, and what they say.
    public var certificates: [(listener: ServerListener, section: TLSSection)] {
        let sections: [(ServerListener, TLSSection?)] = [(.grpc, grpc.tls), (.http, http?.tls?.listener)]
        return sections.compactMap { listener, section in section.map { (listener, $0) } }
    }

    /// The name of this node: the machine's unless one is given.
    public var nodeName: String { node.isEmpty ? ServerConfiguration.hostName : node }

    /// What the server is started with.
    ///
    /// - Parameter dynamic: the settings that may change while it runs.
    /// - Throws: when a file cannot be read any more.
    public func serverConfiguration(dynamic: DynamicConfiguration) throws -> ServerConfiguration {
        var server = ServerConfiguration(postgresURL: postgres.connectionString, node: nodeName)
        if shards > 0 { server.shardCount = shards }
        server.grpc = GRPCServerConfiguration(host: grpc.host, port: grpc.port)
        grpc.limits.apply(to: &server.grpc)
        server.grpc.tls = try grpc.tls?.settings()
        server.authentication = authorization?.rules
        server.keySet = authorization?.jwt?.source
        server.namespaces = namespaces.map { section in
            var namespace = InitialNamespace(section.name)
            namespace.retention = .milliseconds(section.retention.duration.components.seconds * 1_000)
            return namespace
        }
        server.limits = dynamic.limits
        server.requestLimits = dynamic.requestLimits(over: limits.table)
        server.http = http.map { WebAddress(host: $0.host, port: $0.port) }
        server.http?.tls = try http?.tls?.listener.settings()
        server.kafka = kafka?.frontConfiguration(isBound: authorization != nil)
        return server
    }
}
