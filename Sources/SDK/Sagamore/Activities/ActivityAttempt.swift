internal import SagamoreAPI
internal import SagamoreProtobuf
internal import SagamoreThreads

/// One attempt at work: its task, and why it was cancelled if it was.
final class ActivityAttempt: Sendable {
    /// Why an attempt is cancelled.
    enum Reason: Sendable {
        /// The workflow, or somebody else, wants it.
        case requested
        /// The server has no such attempt any more.
        case gone
        /// The worker stops, and has waited long enough.
        case workerStops
    }

    /// What the server is told.
    enum Outcome: Sendable {
        case completed(RawMessage<Payloads>)
        case failed(any Error)
        case cancelled(RawMessage<Payloads>?)
        /// Nothing: nobody wants to know.
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

    /// Users' cancellation handlers run where a task is cancelled, and may block. The one who cancels is mostly the
    /// connection's thread, which everything waits for.
    private static func cancel(_ task: Task<Void, Never>) {
        if (try? SystemThread("cancellation", signals: .inherited) { task.cancel() }) == nil { task.cancel() }
    }

    /// What the code's end means.
    func outcome(_ result: Result<RawMessage<Payloads>, any Error>) -> Outcome {
        let reason = state.withLock { $0.reason }
        if reason == .gone { return .gone }
        switch result {
        case .success(let value): return .completed(value)
        case .failure(let error):
            guard CancelledFailure.isCancellation(error) else { return .failed(error) }
            guard let reason else {
                // Nobody wanted the activity to end: it has cancelled something itself. For the server that would be
                // the activity's own cancellation, which is final.
                return .failed(ApplicationError("\(error)", type: "\(Swift.type(of: error))"))
            }
            if reason == .requested { return .cancelled((error as? CancelledFailure)?.details.raw) }
            return .failed(
                ApplicationError("the worker stopped while the activity ran", type: "WorkerStopped", isBenign: true)
            )
        }
    }
}
