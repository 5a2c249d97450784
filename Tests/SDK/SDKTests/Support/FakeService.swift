import SagamoreAPI
import SagamoreGRPC
import SagamoreProtobuf
import SagamoreThreads

@testable import Sagamore

/// A server with scripted responses that records its requests.
final class FakeService: Sendable {
    typealias Answer = @Sendable ([UInt8]) -> Result<[UInt8], GRPCStatus>

    let port: Int
    private let server: GRPCServer
    private let asked: Monitor<[(method: WorkflowServiceMethod, bytes: [UInt8])]>
    /// Retained, since a released call is answered.
    private let held = Locked<[GRPCServerCall]>([])

    /// Starts on a free port. Methods without a response are UNIMPLEMENTED; `unanswered` ones stay open.
    init(_ answers: [WorkflowServiceMethod: Answer], unanswered: [WorkflowServiceMethod] = []) throws {
        let server = GRPCServer(GRPCServerConfiguration(port: 0))
        let asked = Monitor<[(method: WorkflowServiceMethod, bytes: [UInt8])]>([])
        for (method, answer) in answers {
            server.register(method.rawValue, .hot) { call in
                let bytes = call.withRequest { [UInt8]($0) }
                asked.change { $0.append((method, bytes)) }
                switch answer(bytes) {
                case .success(let response): call.reply(response)
                case .failure(let status): call.fail(status)
                }
            }
        }
        let held = held
        for method in unanswered {
            server.register(method.rawValue, .hot) { call in
                held.withLock { $0.append(call) }
                asked.change { $0.append((method, [])) }
            }
        }
        port = try server.start()
        self.server = server
        self.asked = asked
    }

    /// The requests of one method, in order.
    func requests<Request: ProtobufMessage>(_ method: WorkflowServiceMethod, _ type: Request.Type) throws -> [Request] {
        try asked.withLock { $0 }.filter { $0.method == method }.map { try Request(serializedBytes: $0.bytes) }
    }

    /// Waits until a method has been called.
    func awaitCall(of method: WorkflowServiceMethod) async {
        let asked = asked
        await onThread { asked.wait(until: { $0.contains { $0.method == method } }) }
    }

    /// Runs `body` with a client of this service, and closes the client on a thread that may block.
    func withClient(_ body: (Client) async throws -> Void) async throws {
        let client = try await Client.connect(
            ClientOptions(address: "127.0.0.1:\(port)", namespace: "travel", identity: "tester")
        )
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        await onThread { client.close() }
        try result.get()
    }

    func stop() async { await onThread { self.server.shutdown(grace: .zero) } }
}

/// Responds to every request with the same message.
func answer<Response: ProtobufMessage>(_ response: Response) -> FakeService.Answer {
    { _ in .success(response.serializedBytes()) }
}
