/// Whom a channel talks to, and how.
public struct GRPCChannelConfiguration: Sendable {
    /// How the server's identity is checked, and the client's shown.
    public struct TLS: Sendable {
        /// The roots that the server's certificate must lead to, PEM; nil: the system's.
        public var serverRoots: String?
        /// The client's certificate and those that lead to its root, PEM, where the server wants one.
        public var certificateChain: String?
        /// The private key of the client's certificate, PEM.
        public var privateKey: String?
        /// The name that the server's certificate must bear, when it isn't the one in the target.
        public var serverName: String?

        /// TLS with the system's roots, or with your own.
        public init(serverRoots: String? = nil) { self.serverRoots = serverRoots }
    }

    /// Host and port, or another target in gRPC's form.
    public var target: String
    /// Nil: plain text.
    public var tls: TLS?
    /// Goes with every call, before the call's own. Values of names that end in `-bin` go as bytes, others must be
    /// printable ASCII.
    public var metadata: [(String, String)] = []
    /// The largest answer, in bytes.
    public var maximumMessageBytes = 128 * 1024 * 1024
    /// After this long without a sign of the server the channel pings it while calls are open; nil: never.
    public var keepaliveInterval: Duration? = .seconds(30)
    /// A server that leaves a ping unanswered for this long is gone.
    public var keepaliveTimeout: Duration = .seconds(15)
    /// The first pause after a failed attempt to connect; it grows by the factor 1.6.
    public var initialBackoff: Duration = .milliseconds(200)
    /// The longest pause between attempts to connect.
    public var maximumBackoff: Duration = .seconds(5)
    /// True: a call waits for a connection, up to its deadline. False: it fails as soon as an attempt has failed.
    public var waitsForReady = false

    /// Plain text to `target`.
    public init(target: String = "127.0.0.1:7233") { self.target = target }
}
