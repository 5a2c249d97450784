internal import CSagamoreHTTP2

/// The callbacks of nghttp2. They only convert its pointers and call methods of the connection.
enum SessionCallbacks {
    /// One set for all sessions, which copy it. Unchecked: created once, never changed.
    nonisolated(unsafe) static let all: OpaquePointer? = make()

    private static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, owner in
            SessionCallbacks.tell(owner) { $0.fieldsBegan() }
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, _, name, nameCount, value, count, _, owner in
            let name = UnsafeRawBufferPointer(start: name, count: nameCount)
            let value = UnsafeRawBufferPointer(start: value, count: count)
            return SessionCallbacks.tell(owner) { $0.received(name, value) }
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, owner in
            let bytes = UnsafeRawBufferPointer(start: bytes, count: count)
            return SessionCallbacks.tell(owner) { $0.received(bytes, of: stream) }
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, owner in
            guard let frame else { return 0 }
            let header = frame.pointee.hd
            if header.isPing {
                let content = withUnsafeBytes(of: frame.pointee.ping.opaque_data) { $0.loadUnaligned(as: UInt64.self) }
                return SessionCallbacks.tell(owner) { $0.pinged(content) }
            }
            if header.isGoAway {
                let last = frame.pointee.goaway.last_stream_id
                return SessionCallbacks.tell(owner) { $0.toldToLeave(lastStream: last) }
            }
            let isRequest = header.isHeaders && frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
            return SessionCallbacks.tell(owner) { $0.received(header, isRequest: isRequest) }
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, owner in
            guard let header = frame?.pointee.hd, header.endsStream else { return 0 }
            return SessionCallbacks.tell(owner) { $0.sentLastFrame(of: header.stream_id) }
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, owner in
            SessionCallbacks.tell(owner) { $0.closed(stream, code: code) }
        }
        return callbacks
    }

    private static func tell(_ owner: UnsafeMutableRawPointer?, _ body: (HTTP2Connection) -> Void) -> Int32 {
        guard let owner else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
        Unmanaged<HTTP2Connection>.fromOpaque(owner)._withUnsafeGuaranteedRef(body)
        return 0
    }

    /// Passes nghttp2 the next bytes of a message, and what follows the last of them.
    static func read(
        _ stream: Int32,
        _ place: UnsafeMutablePointer<UInt8>?,
        _ length: Int,
        _ flags: UnsafeMutablePointer<UInt32>?,
        _ owner: UnsafeMutableRawPointer?
    ) -> Int {
        var count = Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        _ = tell(owner) { connection in
            let place = UnsafeMutableRawBufferPointer(start: place, count: length)
            // Without a message the call was dropped: its stream is reset.
            guard let flags, let taken = connection.takeMessage(of: stream, into: place) else { return }
            count = taken.count
            guard taken.isOver else { return }
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if connection.submitTrailers(of: stream) { flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue }
        }
        return count
    }
}

extension nghttp2_frame_hd {
    var endsStream: Bool { flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 && (isHeaders || isData) }
    var isHeaders: Bool { type == UInt8(NGHTTP2_HEADERS.rawValue) }
    var isData: Bool { type == UInt8(NGHTTP2_DATA.rawValue) }
    var isPing: Bool { type == UInt8(NGHTTP2_PING.rawValue) && flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 }
    var isGoAway: Bool { type == UInt8(NGHTTP2_GOAWAY.rawValue) }
    var isSettings: Bool { type == UInt8(NGHTTP2_SETTINGS.rawValue) }
}
