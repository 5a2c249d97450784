internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreThreads

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

    /// Makes a call and waits for its answer. A server that can't be reached, or can't answer now, is asked again.
    ///
    /// - Parameter patience: how long that goes on. Requests that change something carry an id, so that they take
    ///   effect once however often they are made.
    func call<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: WorkflowServiceMethod,
        _ request: Request,
        deadline: Duration = callDeadline,
        patience: Duration = .seconds(10),
        _ type: Response.Type = Response.self
    ) async -> Result<Response, GRPCStatus> {
        let request = request.serializedBytes()
        let end = ContinuousClock.now + patience
        var backoff = Backoff(longest: .seconds(2))
        while true {
            do {
                let bytes = try await channel.call(method.rawValue, request, deadline: deadline)
                return Self.decoded(bytes, method)
            } catch {
                let pause = backoff.next()
                guard error.code == .unavailable, !Task.isCancelled, ContinuousClock.now + pause < end else {
                    return .failure(error)
                }
                try? await Task.sleep(for: pause)
            }
        }
    }

    private static func decoded<Response: ProtobufMessage>(
        _ bytes: [UInt8],
        _ method: WorkflowServiceMethod
    ) -> Result<Response, GRPCStatus> {
        do {
            return .success(try Response(serializedBytes: bytes))
        } catch {
            let message = "the answer to \(method) is no \(Response.protobufMessageName): \(error)"
            return .failure(GRPCStatus(.internalError, message))
        }
    }

    /// Makes a call; `completion` gets the answer on the connection's thread, which it must not block.
    @discardableResult
    func call(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        deadline: Duration,
        completion: @escaping @Sendable (Result<[UInt8], GRPCStatus>) -> Void
    ) -> GRPCClientCall {
        channel.call(method.rawValue, request, deadline: deadline, completion: completion)
    }

    /// Makes a call that must arrive: as long as the server can't answer it is made again, until `limit` is over.
    /// `completion` gets the last answer, on any thread, which it must not block.
    func deliver(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        within limit: Duration,
        completion: @escaping @Sendable (Result<[UInt8], GRPCStatus>) -> Void
    ) {
        deliver(method, request, until: .now + limit, Backoff(longest: .seconds(2)), completion)
    }

    private func deliver(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        until end: ContinuousClock.Instant,
        _ backoff: Backoff,
        _ completion: @escaping @Sendable (Result<[UInt8], GRPCStatus>) -> Void
    ) {
        call(method, request, deadline: Self.callDeadline) { [self] result in
            guard case .failure(let status) = result, Self.isWorthAnotherTry(status), end > .now else {
                return completion(result)
            }
            var next = backoff
            let pause = next.next()
            Pause.after(pause) { [self, next] in deliver(method, request, until: end, next, completion) }
        }
    }

    private static func isWorthAnotherTry(_ status: GRPCStatus) -> Bool {
        switch status.code {
        case .unavailable, .deadlineExceeded, .aborted, .internalError, .unknown, .resourceExhausted: true
        default: false
        }
    }

    /// Ends the connection; calls under way are cancelled.
    func shutdown() { channel.shutdown() }
}
