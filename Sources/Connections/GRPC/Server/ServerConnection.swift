internal import CSagamoreHTTP2
internal import Glibc
internal import Synchronization

/// A client's connection: its socket, its protocol, and its calls.
///
/// Unchecked: all members belong to the server's thread. Other threads only read `id`, `peer` and `mailbox`, which
/// never change, and `isEnded`, which is atomic.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
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
    /// The client's address.
    let peer: String
    let context: ServerContext
    var mailbox: ServerMailbox { context.mailbox }

    // See `HTTP2Connection`.
    @exclusivity(unchecked) var stage = Stage.open
    /// The open calls.
    @exclusivity(unchecked) var calls = StreamTable<ServerCallRecord>()
    /// Collects the header fields of the next call.
    @exclusivity(unchecked) var head: RequestHeadReader
    /// Calls whose requests are complete and have not been dispatched.
    @exclusivity(unchecked) var ready: [ServerCallRecord] = []
    /// Calls whose last bytes are in `outgoing` and whose delivery is to be reported.
    @exclusivity(unchecked) var sent: [ServerCallRecord] = []
    var pings: PingPolicy
    /// The client has sent its HTTP/2 settings.
    var isGreeted = false
    /// The subject of the client's certificate, once somebody has asked.
    lazy var certificateSubject = tls?.peerSubject
    /// The timers of the connection.
    @exclusivity(unchecked) var times: ConnectionTimes

    /// The time for the client to close the connection after everything is written.
    static let lingering = Duration.seconds(1)

    /// - Returns: nil when there is no memory for it. The socket is not closed then.
    init?(descriptor: Int32, peer: String, context: ServerContext, now: ContinuousClock.Instant) {
        self.peer = peer
        self.context = context
        let configuration = context.configuration
        pings = PingPolicy(shortest: configuration.minimumPingInterval)
        times = ConnectionTimes(configuration, now: now)
        head = RequestHeadReader(limit: configuration.maximumMetadataBytes)
        var stream: TLSStream?
        if let tls = context.tls {
            stream = TLSStream(tls, .server)
            if stream == nil { return nil }
        }
        super.init(descriptor: descriptor, tls: stream)
        session = HTTP2Session(
            .server(streams: configuration.maximumConcurrentStreams),
            owner: self,
            metadataBytes: configuration.maximumMetadataBytes
        )
        if session == nil { return nil }
    }

    var isClosed: Bool {
        if case .closed = stage { return true }
        return false
    }

    // MARK: Callbacks of the session

    override func fieldsBegan() { head.begin() }

    override func received(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) { head.add(name, value) }

    override func received(_ bytes: UnsafeRawBufferPointer, of stream: Int32) { data(stream: stream, bytes) }

    override func received(_ frame: nghttp2_frame_hd, isRequest: Bool) { take(frame, isRequest: isRequest) }

    override func pinged(_ content: UInt64) { answer(ping: content) }

    override func sentLastFrame(of stream: Int32) { ended(stream: stream) }

    override func closed(_ stream: Int32, code: UInt32) { forget(stream: stream) }

    override func takeMessage(
        of stream: Int32,
        into place: UnsafeMutableRawBufferPointer
    ) -> (count: Int, isOver: Bool)? {
        guard let record = call(of: stream) else { return nil }
        let count = record.transfer.message.take(into: place)
        return (count, record.transfer.message.isOver)
    }

    override func submitTrailers(of stream: Int32) -> Bool {
        session?.submitTrailers(to: stream)
        return true
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
