internal import CSagamoreHTTP2

/// The HTTP/2 protocol of a connection: nghttp2's session, which converts bytes to frames and back.
///
/// Belongs to one thread, as its connection does.
final class HTTP2Session {
    private let session: OpaquePointer
    /// The session has failed: a protocol error, or no memory.
    private(set) var isBroken = false

    /// The flow-control windows of a call and of a connection, in bytes.
    static let streamWindow: Int32 = 1 << 20
    static let connectionWindow: Int32 = 1 << 22

    /// What one end is.
    enum Role {
        /// - Parameter streams: the number of open streams that the client may have.
        case server(streams: Int)
        case client
    }

    /// - Returns: nil when there is no memory for it.
    /// - Parameters:
    ///   - owner: receives the callbacks; it outlives the session.
    ///   - metadataBytes: the largest header fields that the peer is to send.
    init?(_ role: Role, owner: HTTP2Connection, metadataBytes: Int) {
        var session: OpaquePointer?
        var option: OpaquePointer?
        nghttp2_option_new(&option)
        defer { nghttp2_option_del(option) }
        // nghttp2 would keep closed streams for the priorities of others.
        nghttp2_option_set_no_closed_streams(option, 1)
        let callbacks = SessionCallbacks.all
        let receiver = Unmanaged.passUnretained(owner).toOpaque()
        var settings = [
            Self.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Int(Self.streamWindow)),
            Self.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, metadataBytes),
        ]
        let code: Int32
        switch role {
        case .server(let streams):
            // `PingPolicy` decides when.
            nghttp2_option_set_no_auto_ping_ack(option, 1)
            settings.append(Self.setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams))
            code = nghttp2_session_server_new2(&session, callbacks, receiver, option)
        case .client:
            settings.append(Self.setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
            code = nghttp2_session_client_new2(&session, callbacks, receiver, option)
        }
        guard code == 0, let session else { return nil }
        self.session = session
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
        nghttp2_session_set_local_window_size(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Self.connectionWindow)
    }

    deinit { nghttp2_session_del(session) }

    private static func setting(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
    }

    /// Nothing more is received or sent.
    var isOver: Bool { nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 }

    /// Processes bytes from the peer. Returns false on a protocol error; the GOAWAY is still to be sent.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !isBroken else { return false }
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        isBroken = nghttp2_session_mem_recv(session, start, bytes.count) != bytes.count
        return !isBroken
    }

    /// The next bytes for the peer, valid until the next call, or nil.
    func next() -> UnsafeRawBufferPointer? {
        var start: UnsafePointer<UInt8>?
        let count = nghttp2_session_mem_send(session, &start)
        if count < 0 { isBroken = true }
        return count > 0 ? UnsafeRawBufferPointer(start: start, count: count) : nil
    }

    /// Stores the place of a stream's call in the table of calls.
    func remember(_ place: Int, of stream: Int32) {
        nghttp2_session_set_stream_user_data(session, stream, UnsafeMutableRawPointer(bitPattern: place + 1))
    }

    /// The place of a stream's call; nil when none is stored or the stream has ended.
    func place(of stream: Int32) -> Int? {
        nghttp2_session_get_stream_user_data(session, stream).map { Int(bitPattern: $0) - 1 }
    }

    private static var messages: nghttp2_data_provider {
        var provider = nghttp2_data_provider()
        provider.read_callback = { _, stream, place, length, flags, _, owner in
            SessionCallbacks.read(stream, place, length, flags, owner)
        }
        return provider
    }

    /// Begins a request with a message. Returns its stream, or nil when the connection has no more.
    ///
    /// - Parameter place: of the call in the table of calls.
    func submitRequest(_ fields: HeaderFields.List, place: Int) -> Int32? {
        var provider = Self.messages
        let number = UnsafeMutableRawPointer(bitPattern: place + 1)
        let stream = nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, &provider, number)
        return stream > 0 ? stream : nil
    }

    /// Starts to send an answer with a message.
    func submitMessage(to stream: Int32) {
        var provider = Self.messages
        let head = ResponseFields.head
        nghttp2_submit_response(session, stream, head.baseAddress, head.count, &provider)
    }

    /// Sends the trailers of an answer with a message.
    func submitTrailers(to stream: Int32) {
        let trailers = ResponseFields.success
        nghttp2_submit_trailer(session, stream, trailers.baseAddress, trailers.count)
    }

    /// Sends a status without a message.
    func submit(_ status: GRPCStatus, to stream: Int32) {
        ResponseFields.withStatus(status) { fields in
            _ = nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil)
        }
    }

    /// Answers a request that is not a gRPC call.
    func submit(httpStatus: StaticString, to stream: Int32) {
        ResponseFields.withHTTPStatus(httpStatus) { fields in
            _ = nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil)
        }
    }

    /// Resets a stream.
    func reset(_ stream: Int32, _ code: nghttp2_error_code = NGHTTP2_NO_ERROR) {
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
    }

    /// The number of open streams that the peer accepts.
    var streamLimit: Int {
        Int(nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }

    /// Forgets the call of a stream.
    func forget(_ stream: Int32) {
        nghttp2_session_set_stream_user_data(session, stream, nil)
    }

    /// Answers a ping.
    func answerPing(_ ping: UInt64) {
        withUnsafeBytes(of: ping) { bytes in
            let content = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            _ = nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_ACK.rawValue), content)
        }
    }

    /// Sends a ping.
    func ping() {
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }

    /// Tells the peer to make no new calls on this connection. Calls in flight are accepted.
    func sendShutdownNotice() {
        nghttp2_submit_shutdown_notice(session)
    }

    /// Tells the peer the last call that was accepted.
    func goAway(_ code: nghttp2_error_code, _ reason: StaticString) {
        nghttp2_submit_goaway(
            session,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            nghttp2_session_get_last_proc_stream_id(session),
            code.rawValue,
            reason.utf8Start,
            reason.utf8CodeUnitCount
        )
    }
}
