/// The address and the limits of a server.
public struct GRPCServerConfiguration: Sendable {
    /// The server's certificate and key, both PEM.
    public struct TLS: Sendable, Equatable {
        /// The server's certificate, followed by its intermediate certificates.
        public var certificateChain: String
        /// The private key of the first certificate.
        public var privateKey: String
        /// When set, clients must present a certificate signed by one of these roots.
        public var clientRoots: String?

        /// A certificate with its key, and the roots of client certificates if these are required.
        public init(certificateChain: String, privateKey: String, clientRoots: String? = nil) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
            self.clientRoots = clientRoots
        }
    }

    /// The address to listen on; loopback by default.
    public var host = "127.0.0.1"
    /// The port to listen on. With 0 the system chooses one, which `start()` returns.
    public var port = 7233
    /// Nil: plain text.
    public var tls: TLS?

    /// The number of open connections; a further one is closed at once, and the log says so.
    public var maximumConnections = 10_000
    /// The time within which a request has to arrive once its header fields have: one that comes byte by byte holds a
    /// place among the open calls. It ends with DEADLINE_EXCEEDED.
    public var requestTimeout: Duration = .seconds(60)
    /// The largest request, in bytes. Temporal's limit: 4 MiB. A larger one is answered RESOURCE_EXHAUSTED.
    public var maximumMessageBytes = 4 * 1024 * 1024
    /// The largest metadata of a request, in bytes: names, values, and 32 for each entry.
    public var maximumMetadataBytes = 32 * 1024
    /// The number of open calls on a connection; further calls wait in the client.
    public var maximumConcurrentStreams = 4096
    /// The shortest interval of keepalive pings; a client that pings more often is disconnected. Temporal's SDKs ping
    /// every 30 s, with some settings every 10 s.
    public var minimumPingInterval: Duration = .seconds(5)
    /// The server pings a client that has been silent for this long.
    public var keepaliveInterval: Duration = .seconds(60)
    /// The server closes the connection of a client that leaves a ping unanswered for this long.
    public var keepaliveTimeout: Duration = .seconds(15)
    /// A connection without calls is closed after this time; nil: never.
    public var maximumConnectionIdle: Duration?

    /// The threads of the pool that runs cold handlers.
    public var blockingThreads = 2
    /// The number of calls that may wait for the pool; a further cold call is answered RESOURCE_EXHAUSTED.
    public var blockingQueueLimit = 1024
    /// Requests of hot methods that are larger than this, in bytes, are handled on the pool.
    public var hotRequestBytes = 64 * 1024

    /// The memory of all requests larger than `hotRequestBytes` together, in bytes: requests that are being received,
    /// and inflated ones that wait for the pool. A further call is answered RESOURCE_EXHAUSTED.
    public var largeRequestMemoryLimit = 128 * 1024 * 1024

    /// The defaults, on a port of your choice.
    public init(host: String = "127.0.0.1", port: Int = 7233) {
        self.host = host
        self.port = port
    }
}
