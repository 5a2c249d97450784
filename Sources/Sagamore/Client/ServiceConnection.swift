internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// The service's calls with messages instead of bytes.
final class ServiceConnection: Sendable {
    /// Temporal's SDKs wait this long for an answer.
    static let callDeadline = Duration.seconds(30)
    /// And this long for a task or an event: longer than a server holds such a call.
    static let pollDeadline = Duration.seconds(70)

    private let channel: GRPCChannel

    init(address: String) {
        channel = GRPCChannel(GRPCChannelConfiguration(target: address))
    }

    /// Makes a call and waits for its answer.
    func call<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: WorkflowServiceMethod,
        _ request: Request,
        deadline: Duration = callDeadline,
        _ type: Response.Type = Response.self
    ) async -> Result<Response, GRPCStatus> {
        let bytes: [UInt8]
        do {
            bytes = try await channel.call(method.rawValue, request.serializedBytes(), deadline: deadline)
        } catch {
            return .failure(error)
        }
        do {
            return .success(try Response(serializedBytes: bytes))
        } catch {
            let message = "the answer to \(method) is no \(Response.protobufMessageName): \(error)"
            return .failure(GRPCStatus(.internalError, message))
        }
    }

    /// Ends the connection; calls under way are cancelled.
    func shutdown() { channel.shutdown() }
}
