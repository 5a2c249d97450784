internal import CSagamoreTLS

/// The encryption of one connection: bytes in, bytes out, no sockets.
///
/// Belongs to one thread.
final class TLSStream {
    private let context: TLSContext
    private let stream: OpaquePointer
    /// Bytes from the peer for the library, and bytes from the library for the peer.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// - Returns: nil when there is no memory for it.
    init?(_ context: TLSContext) {
        guard let stream = SSL_new(context.context) else { return nil }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(stream)
            return nil
        }
        SSL_set_bio(stream, incoming, outgoing)
        SSL_set_accept_state(stream)
        (self.context, self.stream, self.incoming, self.outgoing) = (context, stream, incoming, outgoing)
    }

    deinit { SSL_free(stream) }

    /// The handshake is complete: bytes can be sent.
    var isReady: Bool { SSL_is_init_finished(stream) == 1 }

    /// Decrypts bytes from the peer and passes them to `body`, which returns whether it accepts more. Returns false
    /// when the connection is broken.
    func receive(
        _ bytes: UnsafeRawBufferPointer,
        into place: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        defer { ERR_clear_error() }
        guard BIO_write(incoming, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count) else { return false }
        if !isReady {
            let code = SSL_do_handshake(stream)
            guard code == 1 else { return SSL_get_error(stream, code) == SSL_ERROR_WANT_READ }
        }
        while true {
            let count = SSL_read(stream, place.baseAddress, Int32(place.count))
            guard count > 0 else { return SSL_get_error(stream, count) == SSL_ERROR_WANT_READ }
            guard body(UnsafeRawBufferPointer(rebasing: place[..<Int(count)])) else { return false }
        }
    }

    /// Encrypts bytes for the peer. Returns false when the connection is broken.
    func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        defer { ERR_clear_error() }
        return bytes.isEmpty || SSL_write(stream, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count)
    }

    /// Announces the end of the stream.
    func finish(into bytes: inout OutgoingBytes) {
        defer { ERR_clear_error() }
        if isReady { SSL_shutdown(stream) }
        takeOutgoing(into: &bytes)
    }

    /// Moves the encrypted bytes to `outgoing`.
    func takeOutgoing(into bytes: inout OutgoingBytes) {
        let count = csagamore_bio_pending(outgoing)
        guard count > 0 else { return }
        bytes.append(atMost: count) { place in max(0, Int(BIO_read(outgoing, place.baseAddress, Int32(place.count)))) }
    }
}
