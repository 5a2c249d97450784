public import SagamoreMetrics
internal import SagamoreThreads

/// A gRPC server: answers unary calls of registered methods, over HTTP/2, in plain text or TLS.
///
/// It also answers `grpc.health.v1.Health/Check`. Methods that are not registered are answered UNIMPLEMENTED.
public final class GRPCServer: Sendable {
    private enum Stage {
        /// Methods are registered. Can transition to: running, stopped.
        case preparing([ServerMethod])
        /// Can transition to: stopped.
        case running(ServerRuntime)
        /// The last state.
        case stopped(ServerRuntime?)
    }

    private let configuration: GRPCServerConfiguration
    private let log: GRPCLog
    private let metrics: MetricsRegistry?
    private let health = HealthRegistry()
    private let stage: Locked<Stage>
    private let connectionHandlers = Locked<[ConnectionHandler]>([])
    private let authentication = Locked<GRPCAuthentication?>(nil)

    /// Prepares a server. Nothing listens before `start()`.
    ///
    /// - Parameter metrics: where calls are counted by method; nil for nowhere.
    public init(
        _ configuration: GRPCServerConfiguration,
        metrics: MetricsRegistry? = nil,
        log: @escaping GRPCLog = { _, _ in }
    ) {
        self.metrics = metrics
        self.configuration = configuration
        self.log = log
        let health = self.health
        stage = Locked(.preparing([ServerMethod(path: HealthRegistry.path, kind: .hot) { health.answer($0) }]))
    }

    deinit {
        // On a thread of its own, because this may be one of the server's threads, which shutdown waits for.
        guard case .running(let runtime) = stage.withLock({ $0 }) else { return }
        _ = try? SystemThread("grpc-end") { runtime.shutdown(grace: .zero) }
    }

    /// Registers a method, before `start()`. A later registration of the same path replaces an earlier one.
    ///
    /// - Parameters:
    ///   - path: as `/package.Service/Method`.
    ///   - kind: where the handler runs.
    ///   - handler: receives each call, and answers it at once or later.
    public func register(
        _ path: String,
        _ kind: GRPCMethodKind,
        _ handler: @escaping @Sendable (GRPCServerCall) -> Void
    ) {
        stage.withLock { stage in
            guard case .preparing(var methods) = stage else {
                preconditionFailure("register methods before the server starts")
            }
            methods.removeAll { $0.path == path }
            let metrics = metrics.map { MethodMetrics($0, path: path) }
            methods.append(ServerMethod(path: path, kind: kind, metrics: metrics, handler: handler))
            stage = .preparing(methods)
        }
    }

    /// Answers all calls of a method with the same status, without a handler. A registration of the same path replaces
    /// it.
    public func refuse(_ path: String, with status: GRPCStatus) {
        stage.withLock { stage in
            guard case .preparing(var methods) = stage else {
                preconditionFailure("refuse methods before the server starts")
            }
            guard !methods.contains(where: { $0.path == path }) else { return }
            methods.append(ServerMethod(path: path, refusal: status))
            stage = .preparing(methods)
        }
    }

    /// Runs `handler` with the number (`GRPCServerCall.connectionID`) of each connection that has ended, whichever side
    /// ended it, after the cancel handlers of its calls. Not called while the server shuts down. Set handlers before
    /// `start()`.
    ///
    /// The handler runs on the server's thread and must not block.
    public func onConnectionEnd(_ handler: @escaping @Sendable (_ connectionID: UInt64) -> Void) {
        stage.withLock { stage in
            guard case .preparing = stage else { preconditionFailure("set handlers before the server starts") }
            connectionHandlers.withLock { $0.append(handler) }
        }
    }

    /// Asks who calls before a call's request is read. What `authentication` returns is the call's `caller`;
    /// what it throws is the call's status. Set it before `start()`.
    ///
    /// It runs on the server's thread and must not block.
    public func authenticate(_ authentication: @escaping GRPCAuthentication) {
        stage.withLock { stage in
            guard case .preparing = stage else { preconditionFailure("set the authentication before the start") }
            self.authentication.withLock { $0 = authentication }
        }
    }

    /// Starts listening and accepting calls.
    ///
    /// - Returns: the port, which the system chose when the configuration says 0.
    /// - Throws: `portBusy`, `cannotListen`, `badCredentials`, `noThread`; `alreadyStarted` the second time.
    public func start() throws(GRPCServerError) -> Int {
        let (configuration, health, log) = (configuration, health, log)
        let connectionHandlers = connectionHandlers.withLock { $0 }
        let authentication = authentication.withLock { $0 }
        let result: Result<Int, GRPCServerError> = stage.withLock { stage in
            guard case .preparing(let methods) = stage else { return .failure(.alreadyStarted) }
            do throws(GRPCServerError) {
                let runtime = try ServerRuntime(
                    configuration,
                    methods: methods,
                    connectionHandlers: connectionHandlers,
                    authentication: authentication,
                    health: health,
                    log: log
                )
                stage = .running(runtime)
                return .success(runtime.port)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Gives new connections another certificate. Those that are open keep theirs. Nothing happens to a server that
    /// does not run.
    /// - Throws: `badCredentials` for credentials that cannot be used, and for a server without TLS.
    public func replaceCertificate(_ tls: GRPCServerConfiguration.TLS) throws(GRPCServerError) {
        guard case .running(let runtime) = stage.withLock({ $0 }) else { return }
        try runtime.replaceCertificate(tls)
    }

    /// Sets whether a service is serving, as answered by `grpc.health`. The empty name stands for the whole server,
    /// which is serving from the beginning. Names that were never set are answered NOT_FOUND.
    public func setHealth(_ service: String, serving: Bool) {
        health.set(service, serving: serving)
    }

    /// Answers NOT_SERVING for every service from now on, so that load balancers send no more clients. Calls are
    /// answered as before. Shutting down does this too, but leaves load balancers no time to notice.
    public func drainHealth() {
        health.drain()
    }

    /// Shuts the server down: refuses new calls, tells clients to go elsewhere, lets open calls finish, and cancels the
    /// calls that are still open after `grace`. Returns when nothing of the server runs any more, except cold handlers
    /// that still block.
    ///
    /// May be called several times; all callers wait. Must not be called from a handler, which would wait for itself.
    public func shutdown(grace: Duration) {
        let runtime: ServerRuntime? = stage.withLock { stage in
            switch stage {
            case .preparing:
                stage = .stopped(nil)
                return nil
            case .running(let runtime):
                stage = .stopped(runtime)
                return runtime
            case .stopped(let runtime):
                return runtime
            }
        }
        runtime?.shutdown(grace: grace)
    }
}
