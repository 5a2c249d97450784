internal import SagamoreAPI
public import SagamoreEngine
public import SagamoreGRPC
public import SagamoreLogging
internal import SagamoreProtobuf
public import SagamoreServices
internal import SagamoreThreads

/// The front for workers and clients that speak Temporal's gRPC contract.
///
/// It decodes and checks a request, passes it to its service, and converts the reply to the contract's message or
/// status. Its only state is the ids of polls, the workers that have shut down, and the workers'
/// heartbeats.
public final class GRPCFront: Sendable {
    let history: any HistoryClient
    let matching: any MatchingClient
    let namespaces: any NamespaceRegistry
    let visibility: any VisibilityClient
    let batches: any BatchClient
    let schedules: any ScheduleClient
    let clock: @Sendable () -> Instant
    let cluster: ClusterInformation
    private let limitsInForce: LimitsInForce
    /// Those in force now.
    var limits: Limits { limitsInForce.current }
    let log: Logger
    private let authorization: CallAuthorization?
    private let admission: CallAdmission
    let requestIDs = RequestIDs()
    let departed = DepartedWorkers()
    let completions = CompletionsUnderWay()
    let workers = Locked(WorkerRegistry())

    /// Creates a front for these services.
    ///
    /// - Parameters:
    ///   - clock: the wall clock, from which the deadlines for services are computed.
    ///   - cluster: the information that clients get about this installation.
    ///   - limits: the limits of identifiers and payloads.
    ///   - authorization: decides who may call; nil: everybody may call everything.
    ///   - admission: decides whether there is room for a call; without limits unless given.
    public init(
        history: any HistoryClient,
        matching: any MatchingClient,
        namespaces: any NamespaceRegistry,
        visibility: any VisibilityClient,
        batches: any BatchClient,
        schedules: any ScheduleClient,
        clock: @escaping @Sendable () -> Instant,
        cluster: ClusterInformation,
        limits: LimitsInForce,
        authorization: CallAuthorization? = nil,
        admission: CallAdmission = CallAdmission(),
        log: Logger
    ) {
        self.history = history
        self.matching = matching
        self.namespaces = namespaces
        self.visibility = visibility
        self.batches = batches
        self.schedules = schedules
        self.clock = clock
        self.cluster = cluster
        limitsInForce = limits
        self.authorization = authorization
        self.admission = admission
        self.log = log
    }

    /// Registers all methods of the contract with a server that has not started. Methods that this version lacks are
    /// answered UNIMPLEMENTED, with their name.
    public func register(on server: GRPCServer) {
        if let authorization {
            server.authenticate { (call) throws(GRPCStatus) in try authorization.caller(call) }
        }
        refuseWorkerCommands(on: server)
        registerUnavailable(on: server)
        registerSystem(on: server)
        registerNamespaces(on: server)
        registerWorkflows(on: server)
        registerQueries(on: server)
        registerUpdates(on: server)
        registerHistory(on: server)
        registerReversedHistory(on: server)
        registerRunAdministration(on: server)
        registerWorkflowTasks(on: server)
        registerActivityTasks(on: server)
        registerActivitiesByID(on: server)
        registerActivityOperations(on: server)
        registerActivityExecutions(on: server)
        registerTaskQueues(on: server)
        registerWorkers(on: server)
        registerVisibility(on: server)
        registerBatches(on: server)
        registerSchedules(on: server)
        registerSearchAttributes(on: server)
        server.onConnectionEnd { [matching] in matching.connectionEnded($0) }
        server.setHealth(Self.serviceName, serving: true)
        server.setHealth(Self.operatorServiceName, serving: true)
    }

    /// The name of this front's service in `grpc.health`.
    public static let serviceName = "temporal.api.workflowservice.v1.WorkflowService"
    /// The name of the operators' service in `grpc.health`.
    public static let operatorServiceName = "temporal.api.operatorservice.v1.OperatorService"

    /// Registers a method. Its request is decoded, its caller's role checked, and an error of the handler becomes the
    /// call's status.
    func register<Request: ServiceRequest>(
        _ method: WorkflowServiceMethod,
        on server: GRPCServer,
        _ kind: GRPCMethodKind,
        _ handler: @escaping @Sendable (GRPCServerCall, Request) throws(RequestError) -> Void
    ) {
        register(method.rawValue, MethodAccess(method), CallLoad(method), on: server, kind, handler)
    }

    /// Registers a method of the operators' service.
    func register<Request: ServiceRequest>(
        _ method: OperatorServiceMethod,
        on server: GRPCServer,
        _ kind: GRPCMethodKind,
        _ handler: @escaping @Sendable (GRPCServerCall, Request) throws(RequestError) -> Void
    ) {
        register(method.rawValue, MethodAccess(method), .request, on: server, kind, handler)
    }

    private func register<Request: ServiceRequest>(
        _ path: String,
        _ access: MethodAccess,
        _ load: CallLoad,
        on server: GRPCServer,
        _ kind: GRPCMethodKind,
        _ handler: @escaping @Sendable (GRPCServerCall, Request) throws(RequestError) -> Void
    ) {
        server.register(path, kind) { [self] call in
            do throws(RequestError) {
                let size = call.withRequest { $0.count }
                let request: Request = try Self.decode(call)
                let namespace = namespace(of: request)
                try authorization?.check(call, access, namespace: namespace)
                try admission.admit(call, load, namespace: namespace, bytes: size)
                try handler(call, request)
            } catch {
                refuse(call, error)
            }
        }
    }

    /// The namespace that a request is about: a worker may leave its name out beside a task's token.
    private func namespace(of request: some ServiceRequest) -> String? {
        guard let name = request.requestNamespace, name.isEmpty, let bytes = request.requestTaskToken,
            let token = try? TaskToken(bytes)
        else { return request.requestNamespace }
        return namespaces.namespace(numbered: token.key.namespace)?.name
    }

    private static func decode<Request: ProtobufMessage>(_ call: GRPCServerCall) throws(RequestError) -> Request {
        defer { call.releaseRequest() }
        do throws(ProtobufError) {
            return try call.withRequest { (bytes) throws(ProtobufError) in
                try Request(serializedBytes: bytes, depth: Self.requestDepth)
            }
        } catch .depthExceeded {
            throw .invalidArgument("The request is nested more than \(Self.requestDepth) deep.")
        } catch {
            throw .invalidArgument("The request cannot be decoded: \(error).")
        }
    }

    /// The deepest nesting of messages in a request. Its contents are nested deeper in the events of a history, and
    /// clients read no more than 100 levels.
    static let requestDepth = 90

    /// Answers a call with an error.
    func refuse(_ call: GRPCServerCall, _ error: RequestError) {
        if error.code == .internalError {
            log.error("request failed", metadata: Self.about(call).merging(["error": "\(error.message)"]) { $1 })
        }
        call.fail(GRPCStatus(error))
    }

    /// What the lines about a call have: its method, who has sent it, and the trace that it belongs to (W3C).
    static func about(_ call: GRPCServerCall) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["method": "\(call.path)", "peer": "\(call.peer)"]
        if let trace = call.metadata("traceparent") { metadata["traceparent"] = "\(trace.prefix(100))" }
        return metadata
    }

    /// A reply that answers a call: with the message that `encode` returns for a success, or with the error's status.
    func reply<Success: Sendable>(
        to call: GRPCServerCall,
        _ encode: @escaping @Sendable (Success) -> [UInt8]
    ) -> Reply<Success> {
        Reply { [self] outcome in
            switch outcome {
            case .success(let value): call.reply(encode(value))
            case .failure(let error): refuse(call, error)
            }
        }
    }

    /// A reply that answers a call with an empty message, the encoding of every answer without content.
    func emptyReply(to call: GRPCServerCall) -> Reply<Void> {
        reply(to: call) { [] }
    }
}
