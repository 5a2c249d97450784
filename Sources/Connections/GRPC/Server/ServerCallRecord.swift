internal import SagamoreThreads

/// The state of a call: its request, its lifecycle, and its answer.
///
/// Unchecked: the server's thread writes the request before a handler has the call; afterwards it is only read.
/// `request` is released by a handler while no other thread has the call. The mailbox's lock guards `lifecycle`.
/// `transfer` belongs to the server's thread.
final class ServerCallRecord: @unchecked Sendable {
    /// The state of the call on the wire.
    struct Transfer {
        /// The client has ended its side of the stream.
        var isRequestWhole = false
        /// The call was answered before its request was complete: the rest is ignored.
        var isRefused = false
        /// The answer has been passed to the protocol.
        var isSubmitted = false
        /// The delivery of the answer is to be reported.
        var isAwaited = false
        /// The stream or its connection has ended.
        var isOver = false
        /// The last frame has been encoded.
        var isSentWhole = false
        var message = OutgoingMessage([])
    }

    let stream: Int32
    let connection: ServerConnection
    let head: RequestHead
    // Every call uses these many times, each for a moment: see `ServerConnection`.
    @exclusivity(unchecked) var request: IncomingMessage
    @exclusivity(unchecked) var method: ServerMethod?
    /// Who calls.
    @exclusivity(unchecked) var caller: (any AnyObject & Sendable)?
    /// When the request has to be complete.
    @exclusivity(unchecked) var requestDeadline: ContinuousClock.Instant?
    /// Called once there is an answer, or the call was cancelled. Set while no other thread has the call.
    @exclusivity(unchecked) var whenEnded: (@Sendable () -> Void)?
    @exclusivity(unchecked) var deadline: ContinuousClock.Instant?
    @exclusivity(unchecked) var lifecycle = ServerCallLifecycle()
    @exclusivity(unchecked) var transfer = Transfer()
    /// When its handler got it.
    @exclusivity(unchecked) var began: MonotonicTime?

    init(stream: Int32, connection: ServerConnection, head: RequestHead) {
        self.stream = stream
        self.connection = connection
        self.head = head
        request = IncomingMessage(connection.context.requestMemory)
    }

    deinit { request.deallocate() }

    // MARK: For all threads

    /// Frees the request's memory.
    func releaseRequest() { request.deallocate() }

    /// The time until the deadline; nil without one.
    var timeRemaining: Duration? { deadline.map { $0 - .now } }

    /// Sends the answer, unless the call has been answered or cancelled.
    func answer(_ reply: ServerReply, outcome: ServerCallLifecycle.Outcome? = nil) {
        var unused: [ServerCallLifecycle.CancelHandler]?
        let isFirst = connection.mailbox.post { mail in
            unused = lifecycle.answer(outcome: outcome)
            guard unused != nil else { return false }
            mail.answers.append(
                ServerAnswer(record: self, reply: reply, isAwaited: outcome != nil)
            )
            return true
        }
        guard isFirst else {
            outcome?(false)
            return
        }
        whenEnded?()
        if let began, let metrics = method?.metrics {
            let status: GRPCStatus? = if case .status(let status) = reply { status } else { nil }
            metrics.answered(status, after: MonotonicTime.now.nanoseconds - began.nanoseconds)
        }
    }

    /// Runs `handler` when the call is cancelled before it is answered; at once if it is cancelled already.
    func watch(_ handler: @escaping ServerCallLifecycle.CancelHandler) {
        if connection.mailbox.withLock({ lifecycle.watch(handler) }) { handler() }
    }

    // MARK: For the server's thread

    /// The client has cancelled or disconnected, or the deadline has passed.
    func cancel() {
        let effects = connection.mailbox.withLock { lifecycle.cancel() }
        if effects.isEnd { whenEnded?() }
        effects.outcome?(false)
        for handler in effects.cancelHandlers { handler() }
    }

    /// The answer has been written to the socket.
    func sent() {
        connection.mailbox.withLock { lifecycle.sent() }?(true)
    }

    /// Answers before the request is complete, or instead of handling it.
    func refuse(_ status: GRPCStatus) {
        transfer.isRefused = true
        request.deallocate()
        answer(.status(status))
    }
}

/// An answer on its way to the server's thread.
struct ServerAnswer: Sendable {
    let record: ServerCallRecord
    let reply: ServerReply
    /// The delivery is to be reported.
    let isAwaited: Bool
}
