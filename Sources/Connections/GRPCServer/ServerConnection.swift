internal import CSagamoreHTTP2
internal import Glibc
internal import SagamoreGRPC
internal import Synchronization

/// A client's connection: its socket, its protocol, and its calls.
///
/// Unchecked: all members belong to the server's thread. Other threads only read `id`, `peer` and `mailbox`, which
/// never change, and `isEnded`, which is atomic.
final class ServerConnection: @unchecked Sendable {
    /// The stage of the connection's life.
    enum Stage {
        /// Can transition to: leaving, lingering, closed.
        case open
        /// It is closed as soon as it has no calls. Can transition to: lingering, closed.
        case leaving
        /// Everything is written. It waits a short time for the client to close. Can transition to: closed.
        case lingering(until: ContinuousClock.Instant)
        /// The last state.
        case closed
    }

    private static let count = Atomic<UInt64>(0)

    /// The number of the connection, unique in this process.
    let id = ServerConnection.count.add(1, ordering: .relaxed).newValue
    /// Whether the connection is closed.
    let isEnded = Atomic(false)
    let descriptor: Int32
    /// The client's address.
    let peer: String
    let context: ServerContext
    var mailbox: ServerMailbox { context.mailbox }

    let tls: TLSStream?
    // Only the server's thread uses the properties of a connection, and each access is a short call. Those that every
    // header field, frame or call uses go without the runtime's check of exclusive access, which costs 4 % of a call.
    @exclusivity(unchecked) var session: HTTP2Session?
    @exclusivity(unchecked) var stage = Stage.open
    /// The open calls.
    @exclusivity(unchecked) var calls = StreamTable()
    /// Collects the header fields of the next call.
    @exclusivity(unchecked) var head: RequestHeadReader
    /// Calls whose requests are complete and have not been dispatched.
    @exclusivity(unchecked) var ready: [ServerCallRecord] = []
    /// Calls whose last bytes are in `outgoing` and whose delivery is to be reported.
    @exclusivity(unchecked) var sent: [ServerCallRecord] = []
    @exclusivity(unchecked) var outgoing = OutgoingBytes()
    var pings: PingPolicy
    /// The client has sent its HTTP/2 settings.
    var isGreeted = false
    /// The poll waits for the socket to become writable.
    var isWatchedForRoom = false
    /// The connection is written at the end of this turn.
    @exclusivity(unchecked) var isScheduledForWrite = false
    /// The timers of the connection.
    @exclusivity(unchecked) var times: ConnectionTimes

    /// The time for the client to close the connection after everything is written.
    static let lingering = Duration.seconds(1)

    /// - Returns: nil when there is no memory for it. The socket is not closed then.
    init?(descriptor: Int32, peer: String, context: ServerContext, now: ContinuousClock.Instant) {
        self.descriptor = descriptor
        self.peer = peer
        self.context = context
        let configuration = context.configuration
        pings = PingPolicy(shortest: configuration.minimumPingInterval)
        times = ConnectionTimes(configuration, now: now)
        head = RequestHeadReader(limit: configuration.maximumMetadataBytes)
        var stream: TLSStream?
        if let tls = context.tls {
            stream = TLSStream(tls)
            if stream == nil { return nil }
        }
        tls = stream
        session = HTTP2Session(
            owner: self,
            streams: configuration.maximumConcurrentStreams,
            metadataBytes: configuration.maximumMetadataBytes
        )
        if session == nil { return nil }
    }

    var isClosed: Bool {
        if case .closed = stage { return true }
        return false
    }

    // MARK: Answers

    /// Passes an answer to the protocol.
    func submit(_ answer: ServerAnswer) {
        let record = answer.record
        guard let session, !record.transfer.isSubmitted, !record.transfer.isOver else {
            record.cancel()
            return
        }
        record.transfer.isSubmitted = true
        record.transfer.isAwaited = answer.isAwaited
        pings.answered()
        switch answer.reply {
        case .message(let bytes): submit([bytes], answer, session)
        case .parts(let parts): submit(parts, answer, session)
        case .status(let status): session.submit(status.fittedForTrailers(), to: record.stream)
        }
    }

    private func submit(_ parts: [[UInt8]], _ answer: ServerAnswer, _ session: HTTP2Session) {
        answer.record.transfer.message = OutgoingMessage(parts)
        session.submitMessage(to: answer.record.stream)
    }

    // MARK: Shutdown

    /// Tells the client to make new calls elsewhere. Calls that still arrive are accepted.
    func sendShutdownNotice() {
        session?.sendShutdownNotice()
    }

    /// Closes the connection as soon as it has no calls.
    func leave() {
        guard case .open = stage else { return }
        stage = .leaving
    }

    /// Answers all open calls with a status, and closes the connection.
    func endCalls(_ status: GRPCStatus) {
        for record in calls.all {
            record.cancel()
            guard !record.transfer.isSubmitted else { continue }
            record.transfer.isSubmitted = true
            session?.submit(status, to: record.stream)
        }
        leave()
    }

    /// Protocol error: drop all calls. The pending GOAWAY is still written.
    func endAfterProtocolError() {
        switch stage {
        case .open, .leaving:
            dropCalls()
            stage = .leaving
        case .lingering, .closed:
            break
        }
    }

    /// Closes the socket and drops all calls.
    func close() {
        guard !isClosed else { return }
        stage = .closed
        Glibc.close(descriptor)
        session = nil
        for record in sent { record.cancel() }
        sent = []
        dropCalls()
        isEnded.store(true, ordering: .sequentiallyConsistent)
        context.ended(id)
    }

    /// Cancels all calls without an answer.
    func dropCalls() {
        ready = []
        for record in calls.removeAll() {
            record.transfer.isOver = true
            record.cancel()
        }
    }
}
