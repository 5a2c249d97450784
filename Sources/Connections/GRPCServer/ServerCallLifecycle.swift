/// The life of one received call, without its I/O: who may answer, and who hears how it ended.
struct ServerCallLifecycle: Sendable {
    typealias Outcome = @Sendable (_ delivered: Bool) -> Void
    typealias CancelHandler = @Sendable () -> Void

    /// What is due when the peer has gone, outside the lock.
    struct Effects {
        var cancelHandlers: [CancelHandler] = []
        /// Of an answer that did not arrive.
        var outcome: Outcome?
    }

    private enum State: Sendable {
        /// Can transition to: answered, over.
        case open(cancelHandlers: [CancelHandler])
        /// The answer is on its way. Can transition to: over.
        case answered(Outcome?)
        /// The last state.
        case over(wasCancelled: Bool)
    }

    private var state = State.open(cancelHandlers: [])

    /// Somebody answers. Nil: somebody has before, or the peer has gone; nothing is to be sent. Otherwise the handlers
    /// that nobody needs any more: what they hold may have to be let go, which is done outside the lock.
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

    /// Somebody wants to hear when the peer gives up. True: it has, so the handler is to be run at once.
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

    /// The peer gave up or went away, or its time is over, or the server's.
    mutating func cancel() -> Effects {
        switch state {
        case .open(let handlers):
            state = .over(wasCancelled: true)
            return Effects(cancelHandlers: handlers)
        case .answered(let outcome):
            state = .over(wasCancelled: false)
            return Effects(outcome: outcome)
        case .over:
            return Effects()
        }
    }

    /// The answer has gone out. Returns who wants to hear of it.
    mutating func sent() -> Outcome? {
        guard case .answered(let outcome) = state else { return nil }
        state = .over(wasCancelled: false)
        return outcome
    }
}
