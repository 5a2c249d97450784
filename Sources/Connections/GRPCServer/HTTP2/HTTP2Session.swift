internal import CSagamoreHTTP2
internal import SagamoreGRPC

/// One connection's protocol: nghttp2's session, which turns bytes into frames and back and knows the rules.
///
/// Belongs to one thread, as its connection does.
final class HTTP2Session {
    private let session: OpaquePointer
    /// It can't go on: there was a fault in what came, or there is no memory.
    private(set) var isBroken = false

    /// How much of a request a client may send before it hears from us: for one call, and for a connection.
    static let streamWindow: Int32 = 1 << 20
    static let connectionWindow: Int32 = 1 << 22

    /// - Returns: nil where there is no memory for it.
    /// - Parameter owner: whom the session tells; it outlives the session.
    init?(owner: ServerConnection, streams: Int, metadataBytes: Int) {
        var session: OpaquePointer?
        var option: OpaquePointer?
        nghttp2_option_new(&option)
        defer { nghttp2_option_del(option) }
        // Ended calls are of no interest, and would be kept for the order of those that depend on them.
        nghttp2_option_set_no_closed_streams(option, 1)
        // `PingPolicy` says when.
        nghttp2_option_set_no_auto_ping_ack(option, 1)
        let code = nghttp2_session_server_new2(
            &session,
            SessionCallbacks.all,
            Unmanaged.passUnretained(owner).toOpaque(),
            option
        )
        guard code == 0, let session else { return nil }
        self.session = session
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                value: UInt32(clamping: streams)
            ),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(Self.streamWindow)
            ),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(clamping: metadataBytes)
            ),
        ]
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
        nghttp2_session_set_local_window_size(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Self.connectionWindow)
    }

    deinit { nghttp2_session_del(session) }

    /// Nothing comes any more and nothing is to be sent.
    var isOver: Bool { nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 }

    /// Takes bytes from the peer. False: they are no HTTP/2; what is to be said about that is still to be sent.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !isBroken else { return false }
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        isBroken = nghttp2_session_mem_recv(session, start, bytes.count) != bytes.count
        return !isBroken
    }

    /// The next bytes for the peer, valid until the next call; nil: there are none.
    func next() -> UnsafeRawBufferPointer? {
        var start: UnsafePointer<UInt8>?
        let count = nghttp2_session_mem_send(session, &start)
        if count < 0 { isBroken = true }
        return count > 0 ? UnsafeRawBufferPointer(start: start, count: count) : nil
    }

    /// Remembers the place of a stream's call.
    func remember(_ place: Int, of stream: Int32) {
        nghttp2_session_set_stream_user_data(session, stream, UnsafeMutableRawPointer(bitPattern: place + 1))
    }

    /// The place that was remembered; nil: none was, or the stream is over.
    func place(of stream: Int32) -> Int? {
        nghttp2_session_get_stream_user_data(session, stream).map { Int(bitPattern: $0) - 1 }
    }

    /// Sends an answer with the call's message.
    func submitMessage(to stream: Int32) {
        var provider = nghttp2_data_provider()
        provider.read_callback = { session, stream, place, length, flags, _, owner in
            SessionCallbacks.read(session, stream, place, length, flags, owner)
        }
        let head = ResponseFields.head
        nghttp2_submit_response(session, stream, head.baseAddress, head.count, &provider)
    }

    /// Sends an answer that is a status.
    func submit(_ status: GRPCStatus, _ trailers: [(key: String, value: [UInt8])], to stream: Int32) {
        ResponseFields.withStatus(status, trailers) { fields in
            _ = nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil)
        }
    }

    /// Answers what is no call of gRPC.
    func submit(httpStatus: StaticString, to stream: Int32) {
        ResponseFields.withHTTPStatus(httpStatus) { fields in
            _ = nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil)
        }
    }

    /// Ends a stream of which no more is wanted.
    func reset(_ stream: Int32) {
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, NGHTTP2_NO_ERROR.rawValue)
    }

    /// Answers a ping.
    func answerPing(_ ping: UInt64) {
        withUnsafeBytes(of: ping) { bytes in
            let content = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            _ = nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_ACK.rawValue), content)
        }
    }

    /// Asks for a sign of the peer.
    func ping() {
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }

    /// Tells the peer to make no further calls here, while those on their way are still taken.
    func sayThatItWillEnd() {
        nghttp2_submit_shutdown_notice(session)
    }

    /// Tells the peer which calls were taken; others were not.
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
