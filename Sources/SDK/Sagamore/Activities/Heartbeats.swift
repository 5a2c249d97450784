internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreThreads

/// Sends the heartbeats of one attempt, throttled to what the server needs.
final class Heartbeats: Sendable {
    /// What a response reports.
    enum News: Sendable {
        /// The activity should be cancelled.
        case cancelRequested
        /// The server no longer knows the attempt: it timed out, or its workflow has ended.
        case gone
    }

    private struct State {
        var details: RawMessage<Payloads>?
        /// Whether there is a heartbeat to send.
        var isDue = false
        /// Whether a call is in flight, or the pause after it is running.
        var isBusy = false
        var isOver = false
    }

    private let request: RecordActivityTaskHeartbeatRequest
    private let service: ServiceConnection
    private let interval: Duration
    private let onNews: @Sendable (News) -> Void
    private let state = Locked(State())

    /// - Parameters:
    ///   - request: the request without details.
    ///   - timeout: the activity's heartbeat timeout.
    init(
        _ request: RecordActivityTaskHeartbeatRequest,
        timeout: Duration?,
        service: ServiceConnection,
        onNews: @escaping @Sendable (News) -> Void
    ) {
        self.request = request
        self.service = service
        self.onNews = onNews
        interval = Self.interval(timeout)
    }

    /// The pause between heartbeats, as in the other SDKs: 80 % of the timeout, at most 60 s; 30 s without a timeout.
    static func interval(_ timeout: Duration?) -> Duration {
        timeout.map { min($0 * 0.8, .seconds(60)) } ?? .seconds(30)
    }

    /// The details of the last heartbeat, sent or not.
    var lastDetails: RawMessage<Payloads>? { state.withLock { $0.details } }

    func beat(_ details: RawMessage<Payloads>?) {
        let sends = state.withLock { state in
            state.details = details
            state.isDue = true
            if state.isBusy || state.isOver { return false }
            state.isBusy = true
            return true
        }
        if sends { send() }
    }

    /// Stops sending: the attempt has ended.
    func end() { state.withLock { $0.isOver = true } }

    private func send() {
        var request = request
        request.details = state.withLock { state in
            state.isDue = false
            return state.details
        }
        // Lost calls are retried quickly: the next interval would be too late.
        service.deliver(.recordActivityTaskHeartbeat, request.serializedBytes(), within: interval) { [self] result in
            switch result {
            case .success(let bytes):
                let answer = try? RecordActivityTaskHeartbeatResponse(serializedBytes: bytes)
                if answer?.cancelRequested == true { onNews(.cancelRequested) }
            case .failure(let status) where status.code == .notFound:
                end()
                onNews(.gone)
            case .failure:
                // Retried with the next heartbeat.
                state.withLock { $0.isDue = true }
            }
            pause()
        }
    }

    private func pause() {
        guard !state.withLock({ $0.isOver }) else { return }
        Pause.after(interval) { [self] in
            let sends = state.withLock { state in
                state.isBusy = state.isDue && !state.isOver
                return state.isBusy
            }
            if sends { send() }
        }
    }
}
