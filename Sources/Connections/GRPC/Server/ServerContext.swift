internal import Glibc
internal import SagamoreThreads
internal import Synchronization

/// The state that all connections of a running server share.
final class ServerContext: Sendable {
    /// The progress of the shutdown.
    struct Progress {
        var isEnding = false
        /// Calls refused since the shutdown began.
        var refused = 0
        /// The server's thread has returned.
        var isQuiet = false
        var isOver = false
    }

    let configuration: GRPCServerConfiguration
    let log: GRPCLog
    let mailbox: ServerMailbox
    let pool: BlockingPool
    let requestMemory: RequestMemory
    private let credentials: Locked<TLSContext?>
    /// New calls are refused.
    let isDraining = Atomic(false)
    let progress = Monitor(Progress())
    private let methods: [String: ServerMethod]
    private let connectionHandlers: [ConnectionHandler]
    /// Nil: everybody may call.
    let authentication: GRPCAuthentication?

    /// - Throws: `badCredentials`, `noThread`.
    init(
        _ configuration: GRPCServerConfiguration,
        methods: [ServerMethod],
        connectionHandlers: [ConnectionHandler] = [],
        authentication: GRPCAuthentication? = nil,
        log: @escaping GRPCLog
    ) throws(GRPCServerError) {
        self.configuration = configuration
        self.log = log
        self.connectionHandlers = connectionHandlers
        self.authentication = authentication
        self.methods = Dictionary(methods.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
        credentials = Locked(try configuration.tls.map(Self.makeTLS))
        guard let mailbox = ServerMailbox() else { throw .noThread(errno: errno) }
        self.mailbox = mailbox
        pool = BlockingPool(limit: configuration.blockingQueueLimit)
        requestMemory = RequestMemory(
            limit: configuration.largeRequestMemoryLimit,
            smallSize: configuration.hotRequestBytes
        )
    }

    private static func makeTLS(_ tls: GRPCServerConfiguration.TLS) throws(GRPCServerError) -> TLSContext {
        guard let made = TLSContext(server: tls) else { throw .badCredentials }
        return made
    }

    /// What new connections are encrypted with; nil: they are not.
    var tls: TLSContext? { credentials.withLock { $0 } }

    /// - Throws: `badCredentials`, also for a server without encryption.
    func replaceCertificate(_ tls: GRPCServerConfiguration.TLS) throws(GRPCServerError) {
        guard configuration.tls != nil else { throw .badCredentials }
        let made = try Self.makeTLS(tls)
        credentials.withLock { $0 = made }
    }

    /// The method of a path.
    ///
    /// - Throws: the status of its calls, when it is unknown or has no handler.
    func method(_ path: String) throws(GRPCStatus) -> ServerMethod {
        guard let method = methods[path] else {
            throw GRPCStatus(.unimplemented, "this server has no method \(path)")
        }
        if let refusal = method.refusal { throw refusal }
        return method
    }

    /// Reports a connection that has ended. Nothing is reported while the server stops: then it ends them itself.
    func ended(_ connection: UInt64) {
        guard !isDraining.load(ordering: .relaxed) else { return }
        for handler in connectionHandlers { handler(connection) }
    }

    /// Passes a call with a complete request to its handler.
    func dispatch(_ record: ServerCallRecord) {
        if isDraining.load(ordering: .relaxed) {
            progress.change { $0.refused += 1 }
            record.answer(.status(GRPCStatus(.unavailable, "the server is shutting down: try again")))
            return
        }
        guard let method = record.method else { return }
        if method.metrics != nil { record.began = .now }
        let call = GRPCServerCall(record)
        if method.kind == .hot, record.request.bytes.count <= configuration.hotRequestBytes {
            method.handler(call)
            return
        }
        // Large requests of hot methods may exceed the number of waiting calls: `RequestMemory` bounds their bytes.
        guard pool.submit(always: method.kind == .hot, { method.handler(call) }) else {
            call.fail(GRPCStatus(.resourceExhausted, "too many calls are waiting: try again later"))
            return
        }
    }
}
