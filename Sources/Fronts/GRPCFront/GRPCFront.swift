internal import SagamoreAPI
public import SagamoreEngine
internal import SagamoreGRPC
public import SagamoreGRPCServer
public import SagamoreLogging
internal import SagamoreProtobuf
public import SagamoreServices

/// The entrance for workers and clients that speak Temporal's gRPC contract.
///
/// It reads and checks a request, hands it to the service whose business it is, and turns the service's reply into the
/// contract's message or status. It has hardly any state of its own: ids for polls, and the workers that left.
public final class GRPCFront: Sendable {
    let history: any HistoryClient
    let matching: any MatchingClient
    let namespaces: any NamespaceDirectory
    let clock: @Sendable () -> Instant
    let cluster: ClusterInformation
    let limits: Limits
    let log: Logger
    let requestIDs = RequestIDs()
    let departed = DepartedWorkers()

    /// Makes a front for these services.
    ///
    /// - Parameters:
    ///   - clock: the wall clock, from which the instants are reckoned that services are to wait for.
    ///   - cluster: what clients are told about this installation.
    ///   - limits: how long identifiers and how large payloads may be.
    public init(
        history: any HistoryClient,
        matching: any MatchingClient,
        namespaces: any NamespaceDirectory,
        clock: @escaping @Sendable () -> Instant,
        cluster: ClusterInformation,
        limits: Limits,
        log: Logger
    ) {
        self.history = history
        self.matching = matching
        self.namespaces = namespaces
        self.clock = clock
        self.cluster = cluster
        self.limits = limits
        self.log = log
    }

    /// Registers all methods of the contract with a server that has not started. Those that this version lacks answer
    /// UNIMPLEMENTED by name.
    public func register(on server: GRPCServer) {
        registerUnavailable(on: server)
        registerSystem(on: server)
        registerNamespaces(on: server)
        registerWorkflows(on: server)
        registerQueries(on: server)
        registerHistory(on: server)
        registerWorkflowTasks(on: server)
        registerActivityTasks(on: server)
        server.onConnectionEnd { [matching] in matching.connectionEnded($0) }
        server.setHealth(Self.serviceName, serving: true)
    }

    /// The name under which `grpc.health` is asked about this front.
    public static let serviceName = "temporal.api.workflowservice.v1.WorkflowService"

    /// Registers one method: its request is decoded, and what the handler throws becomes the call's status.
    func register<Request: ProtobufMessage>(
        _ method: WorkflowServiceMethod,
        on server: GRPCServer,
        _ kind: GRPCMethodKind,
        _ handler: @escaping @Sendable (GRPCServerCall, Request) throws(RequestError) -> Void
    ) {
        server.register(method.rawValue, kind) { [self] call in
            do throws(RequestError) {
                try handler(call, try Self.decode(call))
            } catch {
                refuse(call, error)
            }
        }
    }

    private static func decode<Request: ProtobufMessage>(_ call: GRPCServerCall) throws(RequestError) -> Request {
        defer { call.releaseRequest() }
        do throws(ProtobufError) {
            return try call.withRequest { (bytes) throws(ProtobufError) in
                try Request(serializedBytes: bytes, depth: Self.requestDepth)
            }
        } catch .depthExceeded {
            throw .invalidArgument("The request can't be read: it is nested more than \(Self.requestDepth) deep.")
        } catch {
            throw .invalidArgument("The request can't be read: \(error).")
        }
    }

    /// How deep messages may be nested in a request. What is taken from it stands deeper in answers, in the events of a
    /// history, and clients read no more than 100 levels.
    static let requestDepth = 90

    /// Answers a call with what went wrong.
    func refuse(_ call: GRPCServerCall, _ error: RequestError) {
        if error.code == .internalError {
            log.error("request failed", metadata: ["method": call.path, "error": error.message])
        }
        call.fail(GRPCStatus(error))
    }

    /// A reply that answers a call: with the message that `encode` makes of a success, else with the error's status.
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

    /// A reply that answers a call with an empty message. (All of the contract's answers without content look alike.)
    func emptyReply(to call: GRPCServerCall) -> Reply<Void> {
        reply(to: call) { [] }
    }
}
