internal import SagamoreGRPC

/// One call: what came, who may answer, and what is on its way out.
///
/// Unchecked: what came is written by the server's thread before a handler sees the call, and only read afterwards.
/// `request` is emptied by a handler that has the call alone. `lifecycle` and `trailers` are under the mailbox's lock.
/// `transfer` belongs to the server's thread.
final class ServerCallRecord: @unchecked Sendable {
    /// How far the call is on the wire.
    struct Transfer {
        /// The client has sent all it has to send.
        var isRequestWhole = false
        /// The call has been answered before its request was whole: what still comes of it is dropped.
        var isRefused = false
        /// The answer has been handed to the protocol.
        var isSubmitted = false
        /// Somebody wants to hear whether it went out.
        var isAwaited = false
        /// The stream is over, or its connection.
        var isOver = false
        /// Its last frame has been made.
        var isSentWhole = false
        var message = OutgoingMessage([])
        var trailers: [(key: String, value: [UInt8])] = []
    }

    let stream: Int32
    let connection: ServerConnection
    let head: RequestHead
    var request: RequestBody
    var method: ServerMethod?
    var deadline: ContinuousClock.Instant?
    var lifecycle = ServerCallLifecycle()
    var trailers: [(key: String, value: [UInt8])] = []
    var transfer = Transfer()

    init(stream: Int32, connection: ServerConnection, head: RequestHead) {
        self.stream = stream
        self.connection = connection
        self.head = head
        request = RequestBody(connection.context.requestMemory)
    }

    deinit { request.deallocate() }

    // MARK: For everybody

    /// Nobody reads the request any more.
    func releaseRequest() { request.deallocate() }

    /// How long the peer still waits; nil: for ever.
    var timeRemaining: Duration? { deadline.map { $0 - .now } }

    func addTrailer(_ key: String, _ value: [UInt8]) {
        connection.mailbox.withLock { trailers.append((key, value)) }
    }

    /// Sends the answer, if nobody has and the peer is there.
    func answer(_ reply: ServerReply, outcome: ServerCallLifecycle.Outcome? = nil) {
        var unused: [ServerCallLifecycle.CancelHandler]?
        let isFirst = connection.mailbox.post { mail in
            unused = lifecycle.answer(outcome: outcome)
            guard unused != nil else { return false }
            mail.answers.append(
                ServerAnswer(record: self, reply: reply, trailers: trailers, isAwaited: outcome != nil)
            )
            return true
        }
        if !isFirst { outcome?(false) }
    }

    /// Runs `handler` when the peer gives up before there is an answer; at once if it has.
    func watch(_ handler: @escaping ServerCallLifecycle.CancelHandler) {
        if connection.mailbox.withLock({ lifecycle.watch(handler) }) { handler() }
    }

    // MARK: For the server's thread

    /// The peer has gone, or its time is over.
    func cancel() {
        let effects = connection.mailbox.withLock { lifecycle.cancel() }
        effects.outcome?(false)
        for handler in effects.cancelHandlers { handler() }
    }

    /// The answer has been written.
    func sent() {
        connection.mailbox.withLock { lifecycle.sent() }?(true)
    }

    /// Answers before the request is whole.
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
    let trailers: [(key: String, value: [UInt8])]
    /// Somebody wants to hear whether it went out.
    let isAwaited: Bool
}
