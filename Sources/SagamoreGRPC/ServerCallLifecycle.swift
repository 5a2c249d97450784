/// The life of one received call, without its I/O: who may answer, when the peer's going away matters, and when the
/// call can be given back.
///
/// The C core has to be asked once per call to say that the call is over (`RECV_CLOSE_ON_SERVER`). Asked together with
/// the answer it costs nothing; asked before, it tells of a cancellation. So it is asked before only for calls that
/// want to know.
struct ServerCallLifecycle: Sendable {
    typealias Outcome = @Sendable (_ delivered: Bool) -> Void
    typealias CancelHandler = @Sendable () -> Void

    /// What an attempt to answer leads to.
    enum AnswerAction: Equatable {
        /// Send it; ask for the call's end in the same batch, or not, since that is under way.
        case send(askingForEnd: Bool)
        /// Somebody has answered, or the peer has gone.
        case ignore
    }

    /// What a wish to hear of a cancellation leads to.
    enum WatchAction: Equatable {
        /// Ask the C core for the call's end.
        case askForEnd
        /// The peer has gone: run the handler.
        case runHandler
        /// Nothing to do.
        case none
    }

    /// What is due after an event, outside the lock.
    struct Effects {
        var cancelHandlers: [CancelHandler] = []
        var outcome: Outcome?
        var delivered = false
        /// The C core's call is not needed any more.
        var releasesCall = false
    }

    /// The call's place in the table of late calls.
    var place: Int?

    private var isAnswered = false
    private var isCancelled = false
    private var end = End.notAsked
    private var answer = Answer.none
    private var outcome: Outcome?
    private var cancelHandlers: [CancelHandler] = []

    private enum End: Sendable {
        /// Can transition to: asked, askedWithAnswer.
        case notAsked
        /// In a batch of its own. Can transition to: come.
        case asked
        /// In the answer's batch. Can transition to: come.
        case askedWithAnswer
        /// The last state.
        case come(cancelled: Bool)
    }

    private enum Answer: Sendable {
        /// Can transition to: underWay.
        case none
        /// Can transition to: done.
        case underWay
        /// The last state.
        case done(success: Bool)
    }

    /// Nobody has answered and the peer is still there, as far as is known.
    var isOpen: Bool { !isAnswered && !isCancelled }

    /// Somebody answers.
    mutating func answer(outcome: Outcome?) -> AnswerAction {
        guard isOpen else {
            isAnswered = true
            return .ignore
        }
        isAnswered = true
        answer = .underWay
        cancelHandlers = []
        self.outcome = outcome
        guard case .notAsked = end else { return .send(askingForEnd: false) }
        end = .askedWithAnswer
        return .send(askingForEnd: true)
    }

    /// Somebody wants to hear of a cancellation.
    mutating func watch(_ handler: @escaping CancelHandler) -> WatchAction {
        if isAnswered { return .none }
        if isCancelled { return .runHandler }
        cancelHandlers.append(handler)
        guard case .notAsked = end else { return .none }
        end = .asked
        return .askForEnd
    }

    /// The C core says that the call is over, in the batch of its own.
    mutating func ended(cancelled: Bool) -> Effects {
        end = .come(cancelled: cancelled)
        if case .none = answer { return endUnanswered(releasing: true) }
        return finishIfDone()
    }

    /// The C core is done with the answer.
    ///
    /// - Parameter cancelled: what the end that was asked for in the same batch says.
    mutating func answered(success: Bool, cancelled: Bool) -> Effects {
        answer = .done(success: success)
        if case .askedWithAnswer = end { end = .come(cancelled: cancelled) }
        return finishIfDone()
    }

    /// The server has no time left for this call.
    mutating func abandon() -> Effects {
        guard isOpen else { return Effects() }
        guard case .notAsked = end else { return endUnanswered(releasing: false) }
        return endUnanswered(releasing: true)
    }

    private mutating func endUnanswered(releasing: Bool) -> Effects {
        isCancelled = true
        var effects = Effects(releasesCall: releasing)
        effects.cancelHandlers = cancelHandlers
        cancelHandlers = []
        return effects
    }

    private mutating func finishIfDone() -> Effects {
        guard case .done(let success) = answer, case .come(let cancelled) = end else { return Effects() }
        var effects = Effects(releasesCall: true)
        effects.outcome = outcome
        effects.delivered = success && !cancelled
        outcome = nil
        return effects
    }
}
