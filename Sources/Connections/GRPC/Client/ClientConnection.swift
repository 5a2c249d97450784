internal import CSagamoreHTTP2
internal import Glibc

/// A channel's connection to a server: from the first packet until it is closed.
///
/// Unchecked: see `HTTP2Connection`.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
    enum Stage {
        /// The socket connects. Can transition to: greeting, closed.
        case connecting
        /// The handshake of TLS, and the server's settings. Can transition to: open, closed.
        case greeting
        /// Can transition to: leaving, closed.
        case open
        /// The server takes no more calls, or the channel makes none: closed as soon as those under way have ended.
        /// Can transition to: closed.
        case leaving
        /// The last state.
        case closed
    }

    let server: ChannelAddress
    private(set) var stage = Stage.connecting
    @exclusivity(unchecked) private(set) var calls = StreamTable<ClientCall>()
    /// Calls that the server's limit of open streams makes wait.
    @exclusivity(unchecked) private var waiting: [ClientCall] = []
    /// Collects the fields of one head.
    @exclusivity(unchecked) private var head = ResponseHead()
    private let connectDeadline: ContinuousClock.Instant
    private var keepalive: Keepalive
    private let configuration: GRPCChannelConfiguration
    private let fields: RequestFields
    private let codec: MessageCodec
    /// Calls that no server has processed, to be sent on another connection.
    private(set) var returned: [ClientCall] = []
    /// Nothing is due before this time.
    @exclusivity(unchecked) private(set) var next: ContinuousClock.Instant

    /// - Returns: nil when there is no memory for it. The socket is not closed then.
    init?(
        descriptor: Int32,
        to server: ChannelAddress,
        _ configuration: GRPCChannelConfiguration,
        tls context: TLSContext?,
        fields: RequestFields,
        codec: MessageCodec,
        now: ContinuousClock.Instant
    ) {
        self.server = server
        self.configuration = configuration
        self.fields = fields
        self.codec = codec
        connectDeadline = now + configuration.connectTimeout
        next = connectDeadline
        keepalive = Keepalive(
            interval: configuration.keepaliveInterval,
            timeout: configuration.keepaliveTimeout,
            now: now
        )
        var stream: TLSStream?
        if let context {
            stream = TLSStream(context, .client(name: configuration.tls?.serverName ?? server.host))
            if stream == nil { return nil }
        }
        super.init(descriptor: descriptor, tls: stream)
        session = HTTP2Session(.client, owner: self, metadataBytes: ResponseHead.limit)
        if session == nil { return nil }
        // Until the socket is connected.
        isWatchedForRoom = true
    }

    var isOpen: Bool { if case .open = stage { true } else { false } }
    var isClosed: Bool { if case .closed = stage { true } else { false } }
    var isConnecting: Bool {
        switch stage {
        case .connecting, .greeting: true
        default: false
        }
    }
    private var isIdle: Bool { calls.isEmpty && waiting.isEmpty }

    // MARK: Connecting

    /// The socket has become writable. Returns why it could not connect.
    func becameWritable() -> String? {
        guard case .connecting = stage else { return nil }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { return String(cString: strerror(code)) }
        stage = .greeting
        tls?.begin()
        return nil
    }

    /// The socket could not connect.
    func fail(_ reason: String) { lose(reason) }

    /// What stands in the way of a connection that has ended before it was open.
    var connectProblem: String {
        if let problem = tls?.problem { return problem }
        if tls?.isReady == true, tls?.hasHTTP2 == false { return "the server does not speak HTTP/2" }
        if case .connecting = stage { return "it does not answer" }
        return configuration.tls == nil
            ? "it closed the connection: does it expect TLS?"
            : "it closed the connection: does it expect a certificate?"
    }

    // MARK: Calls

    func submit(_ call: ClientCall, at now: ContinuousClock.Instant) {
        // Silence before the first call after a rest does not count.
        if isIdle { keepalive.heard(at: now) }
        isScheduledForWrite = true
        call.connection = self
        if let deadline = call.deadline { next = min(next, deadline) }
        if let due = keepalive.due { next = min(next, due) }
        guard let session, waiting.isEmpty, calls.count < session.streamLimit else {
            waiting.append(call)
            return
        }
        begin(call, session, at: now)
    }

    private func begin(_ call: ClientCall, _ session: HTTP2Session, at now: ContinuousClock.Instant) {
        call.prepare(codec.encode(call.request))
        call.place = calls.insert(call)
        let timeout = call.deadline.map { $0 - now }
        let stream = fields.with(
            call.path,
            authority: server.authority,
            timeout: timeout,
            metadata: call.metadata
        ) { session.submitRequest($0, place: call.place) }
        guard let stream else {
            // The numbers of streams are used up.
            _ = calls.remove(call.place)
            leave()
            giveBack(call)
            return
        }
        call.stream = stream
    }

    /// Begins calls that waited for the end of others.
    private func beginWaiting(at now: ContinuousClock.Instant) {
        guard !waiting.isEmpty, let session else { return }
        let count = min(waiting.count, max(0, session.streamLimit - calls.count))
        guard count > 0 else { return }
        let ready = waiting.prefix(count)
        waiting.removeFirst(count)
        for call in ready where !call.isOver { begin(call, session, at: now) }
    }

    /// Ends a call from this side.
    func end(_ call: ClientCall, _ status: GRPCStatus) {
        if call.stream > 0, calls.remove(call.place) != nil {
            session?.forget(call.stream)
            session?.reset(call.stream, NGHTTP2_CANCEL)
        }
        call.connection = nil
        call.finish(.failure(status))
    }

    /// The server has not processed the call: it is sent again on another connection.
    private func giveBack(_ call: ClientCall) {
        call.connection = nil
        call.stream = 0
        call.losses += 1
        if call.losses > ClientCall.mostLosses {
            call.finish(.failure(GRPCStatus(.unavailable, "\(server.authority) refuses the call: try again later")))
        } else {
            returned.append(call)
        }
    }

    func takeReturned() -> [ClientCall] {
        defer { returned = [] }
        return returned
    }

    // MARK: Receiving

    /// Reads input. Returns whether there may be more.
    func receive(
        _ place: UnsafeMutableRawBufferPointer,
        _ plain: UnsafeMutableRawBufferPointer,
        now: ContinuousClock.Instant
    ) -> Bool {
        switch read(into: place) {
        case .nothing: return false
        case .ended:
            close()
            return false
        case .bytes(let bytes):
            keepalive.heard(at: now)
            guard take(bytes, plain) else {
                breakOff()
                return false
            }
            if tls?.isReady == true, tls?.hasHTTP2 == false {
                close()
                return false
            }
            return bytes.count == place.count
        }
    }

    override func fieldsBegan() { head = ResponseHead() }

    override func received(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) { head.add(name, value) }

    override func received(_ bytes: UnsafeRawBufferPointer, of stream: Int32) {
        // The page of a proxy is no message.
        guard let call = call(of: stream), call.head.isGRPC else { return }
        do throws(GRPCStatus) {
            try call.response.append(bytes, limit: configuration.maximumMessageBytes)
        } catch {
            end(call, error)
        }
    }

    override func received(_ frame: nghttp2_frame_hd, isRequest: Bool) {
        if frame.isSettings, case .greeting = stage { stage = .open }
        guard frame.isHeaders || frame.isData, let call = call(of: frame.stream_id) else { return }
        if frame.isHeaders { call.head.merge(head) }
        if frame.endsStream { complete(call) }
    }

    override func toldToLeave(lastStream: Int32) { leave() }

    override func closed(_ stream: Int32, code: UInt32) {
        guard let place = session?.place(of: stream), let call = calls.remove(place) else { return }
        guard code != NGHTTP2_REFUSED_STREAM.rawValue, call.message.isOver else { return giveBack(call) }
        call.connection = nil
        call.finish(.failure(StreamError.status(code, isLate: call.isLate(at: .now))))
    }

    override func takeMessage(
        of stream: Int32,
        into place: UnsafeMutableRawBufferPointer
    ) -> (count: Int, isOver: Bool)? {
        guard let call = call(of: stream) else { return nil }
        let count = call.message.take(into: place)
        return (count, call.message.isOver)
    }

    private func call(of stream: Int32) -> ClientCall? {
        guard let place = session?.place(of: stream) else { return nil }
        return calls[place]
    }

    /// The server has ended the stream.
    private func complete(_ call: ClientCall) {
        _ = calls.remove(call.place)
        session?.forget(call.stream)
        // The rest of the request is not wanted.
        if !call.message.isOver { session?.reset(call.stream, NGHTTP2_CANCEL) }
        call.connection = nil
        call.finish(result(of: call))
    }

    private func result(of call: ClientCall) -> Result<[UInt8], GRPCStatus> {
        if let failure = call.head.failure(of: server.authority) { return .failure(failure) }
        guard call.response.isComplete else {
            let text = call.response.isEmpty ? "answered without a message" : "ended inside its message"
            return .failure(GRPCStatus(.internalError, "the server \(text)"))
        }
        do throws(GRPCStatus) {
            return .success(try codec.decode(call.response, call.head.algorithm))
        } catch {
            return .failure(error)
        }
    }

    // MARK: Sending

    /// Writes all pending output. Returns whether the socket accepts no more for now.
    func flush(now: ContinuousClock.Instant) -> Bool {
        if case .connecting = stage { return true }
        beginWaiting(at: now)
        while !isClosed {
            guard fill() else {
                lose("the connection to \(server.authority) broke its encryption")
                break
            }
            if outgoing.isEmpty { break }
            switch outgoing.write(to: descriptor) {
            case .written: continue
            case .full: return true
            case .broken: close()
            }
        }
        if case .leaving = stage, isIdle { close() }
        // The session has ended the connection itself.
        if !isClosed, session?.isOver == true { breakOff() }
        return false
    }

    // MARK: The end

    /// No more calls are made here.
    func leave() {
        guard case .open = stage else { return }
        stage = .leaving
        for call in waiting where !call.isOver { giveBack(call) }
        waiting = []
    }

    /// Ends all calls from this side.
    func endCalls(_ status: GRPCStatus) {
        for call in calls.all + waiting { end(call, status) }
        waiting = []
    }

    /// Says goodbye, if the connection is open.
    func sayGoodbye() {
        guard isOpen else { return }
        session?.goAway(NGHTTP2_NO_ERROR, "")
    }

    /// Closes the socket. Calls that the server may have processed fail; others are returned.
    func close() { lose(isConnecting ? connectProblem : "the connection to \(server.authority) was lost") }

    private func breakOff() { lose(tls?.problem ?? "the connection to \(server.authority) broke the protocol") }

    private func lose(_ reason: String) {
        guard !isClosed else { return }
        problem = reason
        stage = .closed
        Glibc.close(descriptor)
        session = nil
        for call in waiting + calls.removeAll() where !call.isOver {
            if call.message.isOver, call.stream > 0 {
                call.connection = nil
                call.finish(.failure(GRPCStatus(.unavailable, reason)))
            } else {
                giveBack(call)
            }
        }
        waiting = []
    }

    /// Why the connection has ended.
    private(set) var problem = ""

    // MARK: Times

    /// Does what is due, and sets the time of the next check.
    func checkTimers(_ now: ContinuousClock.Instant) {
        next = now + .seconds(3600)
        if isConnecting {
            if now >= connectDeadline { return lose("it does not answer") }
            next = min(next, connectDeadline)
        }
        for call in calls.all + waiting where !call.isOver {
            if call.isLate(at: now) {
                end(call, ClientCall.expired)
            } else if let deadline = call.deadline {
                next = min(next, deadline)
            }
        }
        waiting.removeAll(where: \.isOver)
        guard !isIdle, !isConnecting else { return }
        switch keepalive.check(at: now) {
        case .none: break
        case .ping: session?.ping()
        case .close: return lose("\(server.authority) does not answer pings")
        }
        if let due = keepalive.due { next = min(next, due) }
    }
}

/// What a reset of a stream means: gRPC's table.
enum StreamError {
    static func status(_ code: UInt32, isLate: Bool) -> GRPCStatus {
        switch nghttp2_error_code(code) {
        // A server cancels a call whose deadline has passed.
        case NGHTTP2_CANCEL where isLate: ClientCall.expired
        case NGHTTP2_CANCEL: GRPCStatus(.cancelled, "the server cancelled the call")
        case NGHTTP2_REFUSED_STREAM: GRPCStatus(.unavailable, "the server refused the call")
        case NGHTTP2_ENHANCE_YOUR_CALM: GRPCStatus(.resourceExhausted, "the server asks for fewer calls")
        case NGHTTP2_INADEQUATE_SECURITY: GRPCStatus(.permissionDenied, "the server asks for more security")
        default: GRPCStatus(.internalError, "the server reset the call (HTTP/2 error \(code))")
        }
    }
}
