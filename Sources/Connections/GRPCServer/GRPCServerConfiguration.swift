/// What a server listens on, and its limits.
public struct GRPCServerConfiguration: Sendable {
    /// The server's certificate and key, both PEM.
    public struct TLS: Sendable {
        /// The server's certificate, followed by the ones that lead to its root.
        public var certificateChain: String
        /// The private key of the first certificate.
        public var privateKey: String
        /// When set, clients must show a certificate that leads to one of these roots.
        public var clientRoots: String?

        /// A certificate with its key, and the roots of clients' certificates where these are wanted.
        public init(certificateChain: String, privateKey: String, clientRoots: String? = nil) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
            self.clientRoots = clientRoots
        }
    }

    /// The address to listen on: loopback unless told otherwise.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 takes any free one, and `start()` says which.
    public var port = 7233
    /// Nil: plain text.
    public var tls: TLS?

    /// The largest request, in bytes. Temporal's limit: 4 MiB. A larger one is answered RESOURCE_EXHAUSTED.
    public var maximumMessageBytes = 4 * 1024 * 1024
    /// The largest metadata of one request, in bytes (names and values, and 32 for each entry).
    public var maximumMetadataBytes = 32 * 1024
    /// How many calls one connection may have open; further ones wait at the client.
    public var maximumConcurrentStreams = 4096
    /// The shortest time between two keepalive pings that a client may send without being turned away.
    /// Temporal's SDKs ping every 30 s, some settings every 10 s.
    public var minimumPingInterval: Duration = .seconds(5)
    /// After this long without a sign of a client the server pings it.
    public var keepaliveInterval: Duration = .seconds(60)
    /// A client that leaves a ping unanswered for this long is gone, and so are its calls.
    public var keepaliveTimeout: Duration = .seconds(15)
    /// A connection without a call is closed after this time; nil: never.
    public var maximumConnectionIdle: Duration?

    /// Threads of the pool that runs cold handlers.
    public var blockingThreads = 2
    /// How many calls may wait for the pool; a cold call past that is answered RESOURCE_EXHAUSTED.
    public var blockingQueueLimit = 1024
    /// Requests of hot methods larger than this, in bytes, run on the pool.
    public var hotRequestBytes = 64 * 1024

    /// The memory of requests larger than `hotRequestBytes`, in bytes, in sum over all calls: those that are being
    /// received and those that wait for the pool, inflated. A call past that is answered RESOURCE_EXHAUSTED.
    public var largeRequestMemoryLimit = 128 * 1024 * 1024

    /// The defaults, on a port of your choice.
    public init(host: String = "127.0.0.1", port: Int = 7233) {
        self.host = host
        self.port = port
    }
}
