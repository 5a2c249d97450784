internal import CSagamoreGRPC
internal import Glibc
internal import Synchronization

/// A running server: the C core's server, its completion queues and the threads that empty them.
///
/// Unchecked: the pointers are set once, and the C core's functions that take them may be called from any thread.
final class ServerRuntime: @unchecked Sendable {
    struct Progress {
        var isEnding = false
        /// Calls turned away since the end began.
        var refused = 0
        /// The C core has no call and no connection left.
        var isQuiet = false
        var threads = 0
        var isOver = false
    }

    let port: Int
    let server: OpaquePointer
    let queues: [OpaquePointer]
    let calls = CallTable<ServerCallRecord>()
    let pool: BlockingPool
    /// New calls are turned away.
    let isDraining = Atomic(false)
    let progress: Condition<Progress>
    let health: HealthRegistry
    let log: GRPCLog
    let hotRequestBytes: Int
    let maximumMessageBytes: Int
    private let configuration: GRPCServerConfiguration

    init(
        _ configuration: GRPCServerConfiguration,
        methods: [ServerMethod],
        health: HealthRegistry,
        log: @escaping GRPCLog
    ) throws(GRPCServerError) {
        GRPCLibrary.initialize()
        GRPCLibrary.sink.withLock { $0 = log }
        self.configuration = configuration
        hotRequestBytes = configuration.hotRequestBytes
        maximumMessageBytes = configuration.maximumMessageBytes
        self.health = health
        self.log = log
        pool = BlockingPool(limit: configuration.blockingQueueLimit)
        progress = Condition(Progress())
        let credentials = try ServerListener.credentials(configuration)
        defer { grpc_server_credentials_release(credentials) }
        guard
            let server = ServerListener.arguments(configuration).withArguments({ grpc_server_create($0, nil) })
        else { fatalError("the C core made no server") }
        self.server = server
        queues = (0..<max(1, configuration.completionThreads)).map { _ in
            guard let queue = grpc_completion_queue_create_for_next(nil) else {
                fatalError("the C core made no completion queue")
            }
            grpc_server_register_completion_queue(server, queue, nil)
            return queue
        }
        port = Int(grpc_server_add_http2_port(server, ServerListener.address(configuration), credentials))
        guard port > 0 else {
            discard()
            throw ServerListener.reason(configuration)
        }
        let registered = methods.filter { $0.refusal == nil }.map { method in
            let handle = grpc_server_register_method(
                server,
                method.path,
                nil,
                GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
                0
            )
            precondition(handle != nil, "the C core refused the method path \(method.path ?? "")")
            return (method, handle)
        }
        do throws(GRPCServerError) {
            try startThreads()
        } catch {
            discard()
            throw error
        }
        grpc_server_start(server)
        for queue in queues {
            for (method, handle) in registered {
                let count = method.kind == .hot ? configuration.postedHotRequests : configuration.postedColdRequests
                post(RequestSlot(method: method, handle: handle, queue: queue), count: count)
            }
            var refusals: [String: GRPCStatus] = [:]
            for method in methods { if let path = method.path { refusals[path] = method.refusal } }
            let others = ServerMethod.others(refusals: refusals)
            post(RequestSlot(method: others, handle: nil, queue: queue), count: 4)
        }
        log(.debug, "gRPC C core \(String(cString: grpc_version_string())) listens on \(configuration.host):\(port)")
    }

    private func startThreads() throws(GRPCServerError) {
        var code = pool.start(threads: configuration.blockingThreads)
        for index in queues.indices where code == 0 {
            progress.withLock { $0.threads += 1 }
            code = DetachedThread.start("grpc-server-\(index)") {
                self.empty(self.queues[index])
                self.progress.change { $0.threads -= 1 }
            }
            if code != 0 { progress.withLock { $0.threads -= 1 } }
        }
        if code != 0 { throw .noThread(errno: code) }
    }

    /// Ends the threads and gives back what the C core made; nothing may be under way any more.
    func discard() {
        pool.stop()
        for queue in queues { grpc_completion_queue_shutdown(queue) }
        progress.wait(until: { $0.threads == 0 })
        for queue in queues {
            // A queue that no thread was started for.
            var event = grpc_event()
            repeat {
                event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), nil)
            } while event.type != GRPC_QUEUE_SHUTDOWN
        }
        grpc_server_destroy(server)
        for queue in queues { grpc_completion_queue_destroy(queue) }
    }
}
