internal import CSagamoreGRPC
internal import Glibc

/// Converts a configuration to the C core's arguments and credentials.
enum ChannelTarget {
    static func arguments(_ configuration: GRPCChannelConfiguration) -> ChannelArguments {
        var arguments = ChannelArguments()
        arguments.set("grpc.max_receive_message_length", configuration.maximumMessageBytes)
        // Responses with long error details would be rejected otherwise.
        arguments.set("grpc.max_metadata_size", 64 * 1024)
        if let interval = configuration.keepaliveInterval {
            arguments.set("grpc.keepalive_time_ms", interval)
            arguments.set("grpc.keepalive_timeout_ms", configuration.keepaliveTimeout)
            arguments.set("grpc.http2.max_pings_without_data", 0)
        }
        arguments.set("grpc.initial_reconnect_backoff_ms", configuration.initialBackoff)
        // Not grpc.min_reconnect_backoff_ms: it is also the timeout for connecting.
        arguments.set("grpc.max_reconnect_backoff_ms", configuration.maximumBackoff)
        // Each channel has its own connection, so channels share neither failures nor backoffs.
        arguments.set("grpc.use_local_subchannel_pool", true)
        arguments.set("grpc.enable_channelz", false)
        // Proxies for the Internet are useless between programs on one machine.
        if isLocal(configuration.target) { arguments.set("grpc.enable_http_proxy", false) }
        if let name = configuration.tls?.serverName { arguments.set("grpc.ssl_target_name_override", name) }
        return arguments
    }

    static func isLocal(_ target: String) -> Bool {
        ["127.", "localhost", "[::1]", "unix:"].contains { target.hasPrefix($0) }
    }

    static func credentials(_ configuration: GRPCChannelConfiguration) -> OpaquePointer? {
        guard let tls = configuration.tls else { return grpc_insecure_credentials_create() }
        let roots = tls.serverRoots.flatMap { strdup($0) }
        let chain = tls.certificateChain.flatMap { strdup($0) }
        let key = tls.privateKey.flatMap { strdup($0) }
        defer {
            free(roots)
            free(chain)
            free(key)
        }
        guard chain != nil, key != nil else { return grpc_ssl_credentials_create_ex(roots, nil, nil, nil) }
        var pair = grpc_ssl_pem_key_cert_pair(private_key: key, cert_chain: chain)
        return grpc_ssl_credentials_create_ex(roots, &pair, nil, nil)
    }
}
