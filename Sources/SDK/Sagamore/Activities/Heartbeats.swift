internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreThreads

/// The heartbeats of one attempt: of many only so many are sent as the server needs.
final class Heartbeats: Sendable {
    /// What an answer says.
    enum News: Sendable {
        /// Somebody wants the activity to end.
        case cancelRequested
        /// The server has no such attempt any more: it took too long, or its workflow has ended.
        case gone
    }

    private struct State {
        var details: RawMessage<Payloads>?
        /// There is something that was not sent yet.
        var isDue = false
        /// A heartbeat is under way, or the pause after one.
        var isBusy = false
        var isOver = false
    }

    private let request: RecordActivityTaskHeartbeatRequest
    private let service: ServiceConnection
    private let interval: Duration
    private let onNews: @Sendable (News) -> Void
    private let state = Locked(State())

    /// - Parameters:
    ///   - request: what every heartbeat says, without details.
    ///   - timeout: how long the activity may be silent.
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

    /// The pause between two heartbeats, as the other SDKs have it: eight tenths of the timeout, a minute at most;
    /// without a timeout 30 s.
    static func interval(_ timeout: Duration?) -> Duration {
        timeout.map { min($0 * 0.8, .seconds(60)) } ?? .seconds(30)
    }

    /// What the last heartbeat told, sent or not.
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

    /// The attempt has ended: nothing is sent any more.
    func end() { state.withLock { $0.isOver = true } }

    private func send() {
        var request = request
        request.details = state.withLock { state in
            state.isDue = false
            return state.details
        }
        // One that is lost is sent again soon: after the next pause it would be too late.
        service.deliver(.recordActivityTaskHeartbeat, request.serializedBytes(), within: interval) { [self] result in
            switch result {
            case .success(let bytes):
                let answer = try? RecordActivityTaskHeartbeatResponse(serializedBytes: bytes)
                if answer?.cancelRequested == true { onNews(.cancelRequested) }
            case .failure(let status) where status.code == .notFound:
                end()
                onNews(.gone)
            case .failure:
                // The next one may arrive.
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
