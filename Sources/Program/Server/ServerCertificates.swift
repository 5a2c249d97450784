public import SagamoreGRPC
internal import SagamoreThreads

/// The certificate of a running server. Any thread may replace it.
public final class ServerCertificates: Sendable {
    private let server = Locked<GRPCServer?>(nil)

    init() {}

    func use(_ server: GRPCServer?) { self.server.withLock { $0 = server } }

    /// New connections get this certificate. Those that are open keep theirs. Without a server nothing happens.
    /// - Throws: `GRPCServerError` when the certificate, its key or the roots cannot be used, or the server has no TLS.
    public func replace(_ tls: GRPCServerConfiguration.TLS) throws(GRPCServerError) {
        try server.withLock { $0 }?.replaceCertificate(tls)
    }
}
