internal import CSagamoreHTTP2
internal import Glibc
internal import SagamoreGRPC
internal import Synchronization

/// One client's connection: its socket, its protocol, its calls.
///
/// Unchecked: it belongs to the server's thread. Others only hold it, and read `id`, `peer` and `mailbox`, which never
/// change, and `isEnded`.
final class ServerConnection: @unchecked Sendable {
    /// How far its life is.
    enum Stage {
        /// Can transition to: leaving, lingering, closed.
        case open
        /// It ends as soon as it has no call. Can transition to: lingering, closed.
        case leaving
        /// All is written, and the client has been told: it closes, or time passes. Can transition to: closed.
        case lingering(until: ContinuousClock.Instant)
        /// The last state.
        case closed
    }

    private static let count = Atomic<UInt64>(0)

    /// Its number, unique in this process.
    let id = ServerConnection.count.add(1, ordering: .relaxed).newValue
    /// It is closed.
    let isEnded = Atomic(false)
    let descriptor: Int32
    /// The client's address.
    let peer: String
    let context: ServerContext
    var mailbox: ServerMailbox { context.mailbox }

    var session: HTTP2Session?
    let tls: TLSStream?
    var stage = Stage.open
    /// Calls that are not over.
    var calls = StreamTable()
    /// Reads the header fields of the call that begins.
    var head: RequestHeadReader
    /// Calls whose requests have become whole.
    var ready: [ServerCallRecord] = []
    /// Calls whose last bytes are in `outgoing`, of those that want to know.
    var sent: [ServerCallRecord] = []
    var outgoing = OutgoingBytes()
    var pings: PingPolicy
    /// The client spoke HTTP/2.
    var isGreeted = false
    /// The system tells when the socket takes bytes again.
    var isWatchedForRoom = false
    /// It is among those that are to be written.
    var isMarked = false
    /// What the server's thread has to look at again by itself.
    var times: ConnectionTimes

    /// So long a connection may stay open for the client to close it, once all is said.
    static let lingering = Duration.seconds(1)

    /// - Returns: nil where there is no memory for it; the socket is not closed then.
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

    /// Hands an answer to the protocol.
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
        case .status(let status): session.submit(status.fittedForTrailers(), answer.trailers, to: record.stream)
        }
    }

    private func submit(_ parts: [[UInt8]], _ answer: ServerAnswer, _ session: HTTP2Session) {
        answer.record.transfer.message = OutgoingMessage(parts)
        answer.record.transfer.trailers = answer.trailers
        session.submitMessage(to: answer.record.stream)
    }

    // MARK: The end

    /// Tells the client to go elsewhere; its calls are taken as before.
    func sayThatItWillEnd() {
        session?.sayThatItWillEnd()
    }

    /// Ends as soon as it has no call.
    func leave() {
        guard case .open = stage else { return }
        stage = .leaving
    }

    /// Ends now: what has no answer gets this one.
    func endCalls(_ status: GRPCStatus) {
        for record in calls.all {
            record.cancel()
            guard !record.transfer.isSubmitted else { continue }
            record.transfer.isSubmitted = true
            session?.submit(status, [], to: record.stream)
        }
        leave()
    }

    /// The two sides don't understand each other any more. What is to be said about that is still written.
    func breakOff() {
        switch stage {
        case .open, .leaving:
            dropCalls()
            stage = .leaving
        case .lingering, .closed:
            break
        }
    }

    /// Gives the socket and all calls up.
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

    /// Nothing more can come of the calls.
    func dropCalls() {
        ready = []
        for record in calls.removeAll() {
            record.transfer.isOver = true
            record.cancel()
        }
    }
}
