import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreLogging
import SagamoreProtobuf
import SagamoreServices

/// The clock of the front under test stands still here.
let now = Instant(nanoseconds: 1_800_000_000_000_000_000)

/// A client of the front under test, over a real connection.
struct Client: Sendable {
    let channel: GRPCChannel

    func call<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: WorkflowServiceMethod,
        _ request: Request,
        deadline: Duration? = .seconds(20),
        as type: Response.Type = Response.self
    ) async throws -> Response {
        let bytes = try await channel.call(method.rawValue, request.serializedBytes(), deadline: deadline)
        return try Response(serializedBytes: bytes)
    }

    /// The status that a call is refused with; nil when it is not.
    func refusal(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        deadline: Duration? = .seconds(20)
    ) async -> GRPCStatus? {
        do throws(GRPCStatus) {
            _ = try await channel.call(method.rawValue, request, deadline: deadline)
            return nil
        } catch {
            return error
        }
    }
}

/// Runs a front on a free port for the time of `body`.
func withFront(
    history: FakeHistory = FakeHistory(),
    matching: FakeMatching = FakeMatching(),
    namespaces: FakeNamespaces = FakeNamespaces(),
    visibility: FakeVisibility = FakeVisibility(),
    batches: FakeBatches = FakeBatches(),
    schedules: FakeSchedules = FakeSchedules(),
    limits: Limits = Limits(),
    log: Logger = Logger(label: "front", handler: LogHandler(format: .text, destination: .lines { _ in })),
    _ body: (Client) async throws -> Void
) async throws {
    let server = GRPCServer(GRPCServerConfiguration(port: 0))
    let front = GRPCFront(
        history: history,
        matching: matching,
        namespaces: namespaces,
        visibility: visibility,
        batches: batches,
        schedules: schedules,
        clock: { now },
        cluster: ClusterInformation(clusterID: "cluster-id", clusterName: "here", shards: 2),
        limits: LimitsInForce(limits),
        log: log
    )
    front.register(on: server)
    let port = try server.start()
    let channel = GRPCChannel(GRPCChannelConfiguration(target: "127.0.0.1:\(port)"))
    defer {
        channel.shutdown()
        server.shutdown(grace: .zero)
    }
    try await body(Client(channel: channel))
}

extension GRPCStatus {
    /// The message that rides in the details, decoded; nil when there is none or it is of another type.
    func detail<Message: ProtobufMessage>(_ type: Message.Type = Message.self) throws -> Message? {
        guard let details else { return nil }
        let status = try RPCStatus(serializedBytes: details)
        guard Int(status.code) == code.rawValue, let first = status.details.first else { return nil }
        return try first.unpacked(as: type)
    }

    /// The names of the messages in the details.
    var detailNames: [String] {
        get throws {
            guard let details else { return [] }
            return try RPCStatus(serializedBytes: details).details.map { String($0.packedMessageName) }
        }
    }
}
