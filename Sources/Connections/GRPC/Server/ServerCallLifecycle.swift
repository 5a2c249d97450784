/// The lifecycle of a received call, without I/O: which answer counts, and which handlers run at its end.
struct ServerCallLifecycle: Sendable {
    typealias Outcome = @Sendable (_ delivered: Bool) -> Void
    typealias CancelHandler = @Sendable () -> Void

    /// What to run outside the lock when a call is cancelled.
    struct Effects {
        var cancelHandlers: [CancelHandler] = []
        /// The outcome handler of an answer that was not delivered.
        var outcome: Outcome?
        /// The call had no answer before.
        var isEnd = false
    }

    private enum State: Sendable {
        /// Can transition to: answered, over.
        case open(cancelHandlers: [CancelHandler])
        /// The answer is being sent. Can transition to: over.
        case answered(Outcome?)
        /// The last state.
        case over(wasCancelled: Bool)
    }

    private var state = State.open(cancelHandlers: [])

    /// Answers the call. Returns nil when it has been answered or cancelled: then nothing is sent. Otherwise returns
    /// the cancel handlers, which are not needed any more and are to be released outside the lock.
    mutating func answer(outcome: Outcome?) -> [CancelHandler]? {
        switch state {
        case .open(let handlers):
            state = .answered(outcome)
            return handlers
        case .answered:
            return nil
        case .over:
            state = .over(wasCancelled: false)
            return nil
        }
    }

    /// Adds a cancel handler. Returns true when the call is cancelled already: the caller runs the handler at once.
    mutating func watch(_ handler: @escaping CancelHandler) -> Bool {
        switch state {
        case .open(var handlers):
            handlers.append(handler)
            state = .open(cancelHandlers: handlers)
            return false
        case .answered: return false
        case .over(let wasCancelled): return wasCancelled
        }
    }

    /// The client has cancelled or disconnected, the deadline has passed, or the server has shut down.
    mutating func cancel() -> Effects {
        switch state {
        case .open(let handlers):
            state = .over(wasCancelled: true)
            return Effects(cancelHandlers: handlers, isEnd: true)
        case .answered(let outcome):
            state = .over(wasCancelled: false)
            return Effects(outcome: outcome)
        case .over:
            return Effects()
        }
    }

    /// The answer has been sent. Returns its outcome handler.
    mutating func sent() -> Outcome? {
        guard case .answered(let outcome) = state else { return nil }
        state = .over(wasCancelled: false)
        return outcome
    }
}
