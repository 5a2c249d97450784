internal import CSagamoreGRPC
internal import Glibc

/// From a configuration to what the C core wants to be told.
enum ServerListener {
    static func arguments(_ configuration: GRPCServerConfiguration) -> ChannelArguments {
        var arguments = ChannelArguments()
        arguments.set("grpc.max_receive_message_length", configuration.maximumMessageBytes)
        arguments.set("grpc.max_metadata_size", configuration.maximumMetadataBytes)
        arguments.set("grpc.max_concurrent_streams", configuration.maximumConcurrentStreams)
        arguments.set("grpc.http2.min_ping_interval_without_data_ms", configuration.minimumPingInterval)
        arguments.set("grpc.keepalive_permit_without_calls", true)
        arguments.set("grpc.http2.max_pings_without_data", 0)
        arguments.set("grpc.keepalive_time_ms", configuration.keepaliveInterval)
        arguments.set("grpc.keepalive_timeout_ms", configuration.keepaliveTimeout)
        if let idle = configuration.maximumConnectionIdle { arguments.set("grpc.max_connection_idle_ms", idle) }
        // Two servers on one port would share its connections by chance: a busy port has to be an error.
        arguments.set("grpc.so_reuseport", false)
        // The window of a call is fixed: to find one the library would send a ping with nearly every read.
        arguments.set("grpc.http2.bdp_probe", false)
        arguments.set("grpc.http2.lookahead_bytes", 1 << 20)
        // Requests come as they were sent, and `MessageInflater` unpacks them.
        arguments.set("grpc.per_message_decompression", false)
        // Statistics per call that nobody reads.
        arguments.set("grpc.enable_channelz", false)
        return arguments
    }

    static func address(_ configuration: GRPCServerConfiguration) -> String {
        let host = configuration.host
        return host.contains(":") && !host.hasPrefix("[")
            ? "[\(host)]:\(configuration.port)" : "\(host):\(configuration.port)"
    }

    static func credentials(_ configuration: GRPCServerConfiguration) throws(GRPCServerError) -> OpaquePointer {
        guard let tls = configuration.tls else {
            guard let plain = grpc_insecure_server_credentials_create() else { throw .badCredentials }
            return plain
        }
        let kind =
            tls.clientRoots == nil
            ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
            : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
        let key = strdup(tls.privateKey)
        let chain = strdup(tls.certificateChain)
        let roots = tls.clientRoots.flatMap { strdup($0) }
        defer {
            free(key)
            free(chain)
            free(roots)
        }
        var pair = grpc_ssl_pem_key_cert_pair(private_key: key, cert_chain: chain)
        guard let credentials = grpc_ssl_server_credentials_create_ex(roots, &pair, 1, kind, nil) else {
            throw .badCredentials
        }
        return credentials
    }

    /// Why the C core could not listen: it does not say, so the system is asked the same.
    static func reason(_ configuration: GRPCServerConfiguration) -> GRPCServerError {
        let (host, port) = (configuration.host, configuration.port)
        func cannotListen(_ reason: String) -> GRPCServerError {
            .cannotListen(host: host, port: port, reason: reason)
        }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let code = getaddrinfo(name, String(port), &hints, &list)
        guard code == 0, let list else { return cannotListen(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        let descriptor = socket(list.pointee.ai_family, list.pointee.ai_socktype, list.pointee.ai_protocol)
        guard descriptor >= 0 else { return cannotListen(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, list.pointee.ai_addr, list.pointee.ai_addrlen) == 0 else {
            return errno == EADDRINUSE
                ? .portBusy(host: host, port: port) : cannotListen(String(cString: strerror(errno)))
        }
        // Bound, but perhaps a listener that shares addresses is there.
        guard listen(descriptor, 1) == 0 else { return .portBusy(host: host, port: port) }
        if configuration.tls != nil { return .badCredentials }
        return cannotListen("gRPC's C core refused the address")
    }
}
