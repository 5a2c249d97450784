public import SagamoreGRPC
internal import SagamoreThreads

/// A gRPC server: answers unary calls of registered methods, over HTTP/2, in plain text or TLS.
///
/// It also answers `grpc.health.v1.Health/Check`, and UNIMPLEMENTED to what nobody registered.
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
    private let health = HealthRegistry()
    private let stage: Locked<Stage>
    private let connectionHandlers = Locked<[ConnectionHandler]>([])

    /// Prepares a server. Nothing listens before `start()`.
    public init(_ configuration: GRPCServerConfiguration, log: @escaping GRPCLog = { _, _ in }) {
        self.configuration = configuration
        self.log = log
        let health = self.health
        stage = Locked(.preparing([ServerMethod(path: HealthRegistry.path, kind: .hot) { health.answer($0) }]))
    }

    deinit {
        // Whoever lets go of a running server has no grace to give, and this may be one of the server's own threads.
        guard case .running(let runtime) = stage.withLock({ $0 }) else { return }
        _ = try? SystemThread("grpc-end") { runtime.shutdown(grace: .zero) }
    }

    /// Registers a method, before `start()`. The last registration of a path counts.
    ///
    /// - Parameters:
    ///   - path: as `/package.Service/Method`.
    ///   - kind: where the handler runs.
    ///   - handler: gets each call and answers it then or later.
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
            methods.append(ServerMethod(path: path, kind: kind, handler: handler))
            stage = .preparing(methods)
        }
    }

    /// Says what calls of a method that this server knows only by name are answered with. Such methods cost nothing.
    /// A registration of the same path takes its place.
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

    /// Runs `handler` with a connection's number (`GRPCServerCall.connectionID`) whenever one has ended, whichever side
    /// ended it, after the cancel handlers of its calls; not any more once the server itself ends. Before `start()`.
    ///
    /// The handler runs on the server's thread and must not block.
    public func onConnectionEnd(_ handler: @escaping @Sendable (_ connectionID: UInt64) -> Void) {
        stage.withLock { stage in
            guard case .preparing = stage else { preconditionFailure("set handlers before the server starts") }
            connectionHandlers.withLock { $0.append(handler) }
        }
    }

    /// Listens, and takes calls from now on.
    ///
    /// - Returns: the port, also when the configuration left the choice to the system.
    /// - Throws: `portBusy`, `cannotListen`, `badCredentials`, `noThread`; `alreadyStarted` the second time.
    public func start() throws(GRPCServerError) -> Int {
        let (configuration, health, log) = (configuration, health, log)
        let connectionHandlers = connectionHandlers.withLock { $0 }
        let result: Result<Int, GRPCServerError> = stage.withLock { stage in
            guard case .preparing(let methods) = stage else { return .failure(.alreadyStarted) }
            do throws(GRPCServerError) {
                let runtime = try ServerRuntime(
                    configuration,
                    methods: methods,
                    connectionHandlers: connectionHandlers,
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

    /// Says whether a service serves, for those who ask `grpc.health`. The empty name stands for the whole server,
    /// which serves from the beginning; names that were never set are answered NOT_FOUND.
    public func setHealth(_ service: String, serving: Bool) {
        health.set(service, serving: serving)
    }

    /// Says NOT_SERVING for every service from now on, whatever is set, so that load balancers send nobody here any
    /// more. Calls are answered as before. Ending the server does this too, but then there is no time to hear it.
    public func drainHealth() {
        health.drain()
    }

    /// Ends the server: takes no new calls, tells clients so, lets the open ones finish, and cancels those that are
    /// still open when `grace` is over. Returns when nothing of it runs any more, except a cold handler that still
    /// blocks.
    ///
    /// May be called several times; later callers wait as well. Not from a handler, which would wait for itself.
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
