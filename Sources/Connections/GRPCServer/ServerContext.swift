internal import SagamoreGRPC
internal import SagamoreThreads
internal import Synchronization

/// What all connections of a running server share.
final class ServerContext: Sendable {
    /// How far the server's end has come.
    struct Progress {
        var isEnding = false
        /// Calls turned away since the end began.
        var refused = 0
        /// The server's thread has ended.
        var isQuiet = false
        var isOver = false
    }

    let configuration: GRPCServerConfiguration
    let log: GRPCLog
    let mailbox: ServerMailbox
    let pool: BlockingPool
    let requestMemory: RequestMemory
    let tls: TLSContext?
    /// New calls are turned away.
    let isDraining = Atomic(false)
    let progress = Monitor(Progress())
    private let methods: [String: ServerMethod]
    private let connectionHandlers: [ConnectionHandler]

    /// - Throws: `badCredentials`, `noThread`.
    init(
        _ configuration: GRPCServerConfiguration,
        methods: [ServerMethod],
        connectionHandlers: [ConnectionHandler] = [],
        log: @escaping GRPCLog
    ) throws(GRPCServerError) {
        self.configuration = configuration
        self.log = log
        self.connectionHandlers = connectionHandlers
        self.methods = Dictionary(methods.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
        var tls: TLSContext?
        if let wanted = configuration.tls { tls = try TLSContext(wanted) }
        self.tls = tls
        mailbox = try ServerMailbox()
        pool = BlockingPool(limit: configuration.blockingQueueLimit)
        requestMemory = RequestMemory(
            limit: configuration.largeRequestMemoryLimit,
            smallSize: configuration.hotRequestBytes
        )
    }

    /// The method of a path.
    ///
    /// - Throws: what its calls are answered with, where it is none or one that this server only knows by name.
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

    /// Hands a call whose request is whole to its handler.
    func dispatch(_ record: ServerCallRecord) {
        if isDraining.load(ordering: .relaxed) {
            progress.change { $0.refused += 1 }
            record.answer(.status(GRPCStatus(.unavailable, "the server is shutting down: try again")))
            return
        }
        guard let method = record.method else { return }
        let call = GRPCServerCall(record)
        if method.kind == .hot, record.request.bytes.count <= configuration.hotRequestBytes {
            method.handler(call)
            return
        }
        // A hot method's large request is never refused for the number of calls: `RequestMemory` bounds their bytes.
        guard pool.submit(always: method.kind == .hot, { method.handler(call) }) else {
            call.fail(GRPCStatus(.resourceExhausted, "the server has too many calls waiting: try again later"))
            return
        }
    }
}
