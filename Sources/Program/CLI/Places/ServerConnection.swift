internal import FoundationEssentials
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC

/// How commands reach the gRPC port of a server: its address, encryption, and who calls. The options have the names of
/// the `temporal` command's.
enum ServerConnection {
    static let apiKey = Option<String?>(
        "--api-key",
        valueName: "KEY",
        environment: ["SAGAMORE_API_KEY", "TEMPORAL_API_KEY"],
        isSensitive: true,
        help: "An API key or a token, sent as 'authorization: Bearer KEY'."
    )
    static let tls = Flag(
        "--tls",
        environment: ["SAGAMORE_TLS", "TEMPORAL_TLS"],
        help: "Encrypt; any of the '--tls-…' options does, too."
    )
    static let roots = Option<String?>(
        "--tls-ca-path",
        valueName: "FILE",
        environment: ["SAGAMORE_TLS_CA", "TEMPORAL_TLS_SERVER_CA_CERT_PATH", "TEMPORAL_TLS_CA"],
        help: "The roots of the server's certificate (PEM). Default: the system's."
    )
    static let certificate = Option<String?>(
        "--tls-cert-path",
        valueName: "FILE",
        environment: ["SAGAMORE_TLS_CERT", "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CERT"],
        help: "The client's certificate (PEM), where the server wants one."
    )
    static let key = Option<String?>(
        "--tls-key-path",
        valueName: "FILE",
        environment: ["SAGAMORE_TLS_KEY", "TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_KEY"],
        help: "The key of the client's certificate (PEM)."
    )
    static let serverName = Option<String?>(
        "--tls-server-name",
        valueName: "NAME",
        environment: ["SAGAMORE_TLS_SERVER_NAME", "TEMPORAL_TLS_SERVER_NAME"],
        help: "The name in the server's certificate, where it is not that of the address."
    )

    static let parameters: [any Parameter] = [
        Places.address, Places.dataFolder, apiKey, tls, roots, certificate, key, serverName,
    ]

    /// - Throws: `UsageError` for a file that cannot be read, and for a certificate without its key.
    static func configuration(_ values: ParsedValues) throws(UsageError) -> GRPCChannelConfiguration {
        var configuration = GRPCChannelConfiguration(target: Places.address(values))
        if let key = values[apiKey] { configuration.metadata = [("authorization", "Bearer \(key)")] }
        let files = [values[roots], values[certificate], values[key], values[serverName]]
        guard values[tls] || files.contains(where: { $0 != nil }) else { return configuration }
        guard (values[certificate] == nil) == (values[key] == nil) else {
            throw UsageError("a client certificate needs its key, and a key its certificate")
        }
        var encryption = GRPCChannelConfiguration.TLS(serverRoots: try text(of: values[roots]))
        encryption.certificateChain = try text(of: values[certificate])
        encryption.privateKey = try text(of: values[key])
        encryption.serverName = values[serverName]
        configuration.tls = encryption
        return configuration
    }

    private static func text(of path: String?) throws(UsageError) -> String? {
        guard let path else { return nil }
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw UsageError("cannot read the file '\(path)'")
        }
    }
}
