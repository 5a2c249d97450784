internal import CSagamoreHTTP2
internal import Glibc

/// One end of an HTTP/2 connection: its socket, its encryption, its session, and the bytes to be written. The session
/// calls the methods that the connections of server and client override.
///
/// Unchecked: all members belong to the thread of the loop that owns the connection.
class HTTP2Connection: @unchecked Sendable {
    final let descriptor: Int32
    final let tls: TLSStream?
    // Each access is a short call on the loop's thread. Those that every header field, frame or call uses go without
    // the runtime's check of exclusive access, which costs 4 % of a call.
    @exclusivity(unchecked) final var session: HTTP2Session?
    @exclusivity(unchecked) final var outgoing = OutgoingBytes()
    /// The poll waits for the socket to become writable.
    final var isWatchedForRoom = false
    /// The connection is written at the end of this turn.
    @exclusivity(unchecked) final var isScheduledForWrite = false

    init(descriptor: Int32, tls: TLSStream?) {
        self.descriptor = descriptor
        self.tls = tls
    }

    // MARK: Callbacks of the session

    /// The header fields of a stream begin.
    func fieldsBegan() {}

    /// A header field has arrived.
    func received(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {}

    /// Bytes of a message have arrived.
    func received(_ bytes: UnsafeRawBufferPointer, of stream: Int32) {}

    /// A complete frame has arrived. A ping is answered already, or reported to `pinged`.
    ///
    /// - Parameter isRequest: whether it ends the header fields of a new request.
    func received(_ frame: nghttp2_frame_hd, isRequest: Bool) {}

    /// The peer sends no answers to streams after this one.
    func toldToLeave(lastStream: Int32) {}

    /// A ping has arrived that is to be answered.
    func pinged(_ content: UInt64) {}

    /// The last frame of this end has been encoded.
    func sentLastFrame(of stream: Int32) {}

    /// A stream has ended: on both sides, or by a reset with this code.
    func closed(_ stream: Int32, code: UInt32) {}

    /// Writes the next bytes of a stream's message and says whether they are the last; nil when there is no message,
    /// and the stream is reset.
    func takeMessage(of stream: Int32, into place: UnsafeMutableRawBufferPointer) -> (count: Int, isOver: Bool)? { nil }

    /// Submits the trailers after a message; false where the message ends the stream.
    func submitTrailers(of stream: Int32) -> Bool { false }

    // MARK: Bytes

    enum Input {
        /// There is nothing to read now.
        case nothing
        /// The peer has closed the connection, or it is broken.
        case ended
        case bytes(UnsafeRawBufferPointer)
    }

    /// Reads what has arrived, as far as it fits into `place`.
    final func read(into place: UnsafeMutableRawBufferPointer) -> Input {
        let count = recv(descriptor, place.baseAddress, place.count, 0)
        if count > 0 { return .bytes(UnsafeRawBufferPointer(rebasing: place[..<count])) }
        return count == 0 || (errno != EAGAIN && errno != EINTR) ? .ended : .nothing
    }

    /// Passes bytes of the peer to the session.
    ///
    /// - Parameter plain: the buffer for decrypted bytes.
    /// - Returns: false when they break the protocol or the encryption.
    final func take(_ bytes: UnsafeRawBufferPointer, _ plain: UnsafeMutableRawBufferPointer) -> Bool {
        guard let tls else { return session?.receive(bytes) ?? false }
        return tls.receive(bytes, into: plain) { session?.receive($0) ?? false }
    }

    /// Collects bytes from the session, up to enough for one write. Returns false when they cannot be encrypted.
    final func fill() -> Bool {
        guard let session, outgoing.isEmpty else { return true }
        if let tls {
            while tls.isReady, !outgoing.hasEnough, let bytes = session.next() {
                guard tls.send(bytes) else { return false }
                tls.takeOutgoing(into: &outgoing)
            }
            // The bytes of the handshake itself.
            tls.takeOutgoing(into: &outgoing)
        } else {
            while !outgoing.hasEnough, let bytes = session.next() { outgoing.append(bytes) }
        }
        return true
    }
}
