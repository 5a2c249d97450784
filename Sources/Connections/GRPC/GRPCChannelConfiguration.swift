/// The configuration of a channel.
public struct GRPCChannelConfiguration: Sendable {
    /// How the server is verified and the client is authenticated.
    public struct TLS: Sendable {
        /// The root certificates for the server's certificate, PEM; nil for the system's.
        public var serverRoots: String?
        /// The client's certificate chain, PEM, when the server requires one.
        public var certificateChain: String?
        /// The private key of the client's certificate, PEM.
        public var privateKey: String?
        /// The expected name in the server's certificate, when it differs from the target.
        public var serverName: String?

        /// TLS with the system's root certificates, or with others.
        public init(serverRoots: String? = nil) { self.serverRoots = serverRoots }
    }

    /// Host and port, or another target in gRPC's form.
    public var target: String
    /// Nil for plain text.
    public var tls: TLS?
    /// Metadata of every call, sent before the call's own. Values of names that end in `-bin` are sent as bytes; others
    /// must be printable ASCII.
    public var metadata: [(String, String)] = []
    /// The largest response in bytes.
    public var maximumMessageBytes = 128 * 1024 * 1024
    /// With open calls, the channel pings a server that was silent for this long; nil for never.
    public var keepaliveInterval: Duration? = .seconds(30)
    /// The connection is closed when a ping is not answered within this time.
    public var keepaliveTimeout: Duration = .seconds(15)
    /// The first delay after a failed attempt to connect; it grows by a factor of 1.6.
    public var initialBackoff: Duration = .milliseconds(200)
    /// The longest delay between attempts to connect.
    public var maximumBackoff: Duration = .seconds(5)
    /// Whether a call waits for a connection up to its deadline, rather than fail with the first failed attempt.
    public var waitsForReady = false

    /// Plain text to `target`.
    public init(target: String = "127.0.0.1:7233") { self.target = target }
}
