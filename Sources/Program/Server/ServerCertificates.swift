public import SagamoreGRPC
internal import SagamoreThreads
internal import SagamoreWebFront

/// A listener of a server.
public enum ServerListener: String, Sendable {
    /// The port for clients and workers, and that of the pages.
    case grpc, http
}

/// The certificates of a running server. Any thread may replace them.
public final class ServerCertificates: Sendable {
    private let server = Locked<GRPCServer?>(nil)
    private let web = Locked<WebServer?>(nil)

    init() {}

    func use(_ server: GRPCServer?) { self.server.withLock { $0 = server } }

    func use(_ web: WebServer?) { self.web.withLock { $0 = web } }

    /// New connections get this certificate. Those of gRPC that are open keep theirs; those of the pages are closed.
    /// Without a server nothing happens.
    /// - Throws: an error that says why it cannot be used.
    public func replace(_ tls: GRPCServerConfiguration.TLS, of listener: ServerListener) throws {
        switch listener {
        case .grpc: try server.withLock { $0 }?.replaceCertificate(tls)
        case .http:
            let certificate = WebCertificate(chain: tls.certificateChain, key: tls.privateKey)
            try web.withLock { $0 }?.replaceCertificate(certificate)
        }
    }
}
