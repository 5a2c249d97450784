internal import SagamoreAPI
internal import SagamoreProtobuf
internal import SagamoreThreads

/// One running attempt: its task, and the reason for its cancellation, if any.
final class ActivityAttempt: Sendable {
    /// Why an attempt is cancelled.
    enum Reason: Sendable {
        /// The workflow or a client requested it.
        case requested
        /// The server no longer knows the attempt.
        case gone
        /// The worker is stopping, and the grace period is over.
        case workerStops
    }

    /// The outcome to report to the server.
    enum Outcome: Sendable {
        case completed(RawMessage<Payloads>)
        case failed(any Error)
        case cancelled(RawMessage<Payloads>?)
        /// Nothing is reported.
        case gone
    }

    private struct State {
        var task: Task<Void, Never>?
        var reason: Reason?
    }

    private let state = Locked(State())

    func started(_ task: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            state.task = task
            return state.reason != nil
        }
        if isCancelled { Self.cancel(task) }
    }

    /// Cancels the attempt's task. The first reason counts.
    func cancel(_ reason: Reason) {
        let task = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            return state.task
        }
        if let task { Self.cancel(task) }
    }

    /// User code's cancellation handlers run on the cancelling thread and may block. That is mostly the connection's
    /// thread, which must not block.
    private static func cancel(_ task: Task<Void, Never>) {
        if (try? SystemThread("cancellation", signals: .inherited) { task.cancel() }) == nil { task.cancel() }
    }

    /// The outcome for the result of the code.
    func outcome(_ result: Result<RawMessage<Payloads>, any Error>) -> Outcome {
        let reason = state.withLock { $0.reason }
        if reason == .gone { return .gone }
        switch result {
        case .success(let value): return .completed(value)
        case .failure(let error):
            guard CanceledError.isCancellation(error) else { return .failed(error) }
            guard let reason else {
                // Nobody cancelled the activity: its code cancelled something itself. Reported as it is, the server
                // would take it for the activity's own cancellation, which is final.
                return .failed(ApplicationError("\(error)", type: "\(Swift.type(of: error))"))
            }
            if reason == .requested { return .cancelled((error as? CanceledError)?.details.raw) }
            return .failed(
                ApplicationError("the worker stopped while the activity ran", type: "WorkerStopped", isBenign: true)
            )
        }
    }
}
