internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreThreads

/// Calls the service with messages instead of bytes.
final class ServiceConnection: Sendable {
    /// The deadline of ordinary calls, as in Temporal's SDKs.
    static let callDeadline = Duration.seconds(30)
    /// The deadline of long polls: longer than a server holds them.
    static let pollDeadline = Duration.seconds(70)

    private let channel: GRPCChannel

    init(_ options: ClientOptions) {
        channel = GRPCChannel(GRPCChannelConfiguration(options))
    }

    /// Makes a call and waits for the response. Retries while the server is unavailable.
    ///
    /// - Parameter patience: how long to retry. Requests that change something carry an id, so retries are idempotent.
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
            let message = "the response to \(method) is not a valid \(Response.protobufMessageName): \(error)"
            return .failure(GRPCStatus(.internalError, message))
        }
    }

    /// Makes a call. `completion` receives the response on the connection's thread and must not block it.
    @discardableResult
    func call(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        deadline: Duration,
        completion: @escaping @Sendable (Result<[UInt8], GRPCStatus>) -> Void
    ) -> GRPCClientCall {
        channel.call(method.rawValue, request, deadline: deadline, completion: completion)
    }

    /// Makes a call and retries it until the server answers or `limit` has passed. `completion` receives the last
    /// response on any thread and must not block it.
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
            guard case .failure(let status) = result, Self.isRetryable(status), end > .now else {
                return completion(result)
            }
            var next = backoff
            let pause = next.next()
            Pause.after(pause) { [self, next] in deliver(method, request, until: end, next, completion) }
        }
    }

    private static func isRetryable(_ status: GRPCStatus) -> Bool {
        switch status.code {
        case .unavailable, .deadlineExceeded, .aborted, .internalError, .unknown, .resourceExhausted: true
        default: false
        }
    }

    /// Closes the connection and cancels open calls.
    func shutdown() { channel.shutdown() }
}
