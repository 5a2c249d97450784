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

    /// What one end is.
    enum Role {
        case server
        /// - Parameter name: the name or address that the server's certificate has to have.
        case client(name: String)
    }

    /// Why the handshake failed, as far as this end knows.
    private(set) var problem: String?

    /// - Returns: nil when there is no memory for it.
    init?(_ context: TLSContext, _ role: Role) {
        guard let stream = SSL_new(context.context) else { return nil }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(stream)
            return nil
        }
        SSL_set_bio(stream, incoming, outgoing)
        switch role {
        case .server: SSL_set_accept_state(stream)
        case .client(let name):
            SSL_set_connect_state(stream)
            guard Self.expect(name, of: stream) else {
                SSL_free(stream)
                return nil
            }
        }
        (self.context, self.stream, self.incoming, self.outgoing) = (context, stream, incoming, outgoing)
    }

    deinit { SSL_free(stream) }

    /// Makes the handshake fail unless the server's certificate has this name or address.
    private static func expect(_ name: String, of stream: OpaquePointer) -> Bool {
        let parameters = SSL_get0_param(stream)
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return true }
        // An address is no name: it is not announced.
        csagamore_tls_announce(stream, name)
        return SSL_set1_host(stream, name) == 1
    }

    /// Begins the handshake of a client: its first bytes can be taken.
    func begin() { _ = shakeHands() }

    /// Returns false when the handshake has failed.
    private func shakeHands() -> Bool {
        defer { ERR_clear_error() }
        let code = SSL_do_handshake(stream)
        if code == 1 || SSL_get_error(stream, code) == SSL_ERROR_WANT_READ { return true }
        let verdict = SSL_get_verify_result(stream)
        if verdict != Int(X509_V_OK) {
            let reason = X509_verify_cert_error_string(verdict).map { String(cString: $0) }
            problem = "the certificate is not accepted: \(reason ?? "unknown reason")"
        } else if let reason = ERR_reason_error_string(ERR_peek_error()) {
            problem = "TLS: \(String(cString: reason))"
        }
        return false
    }

    /// Whether the peer has chosen HTTP/2.
    var hasHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(stream, &name, &count)
        return UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual("h2".utf8)
    }

    /// The subject of the peer's certificate as in RFC 2253; nil when it has none. After the handshake.
    var peerSubject: String? {
        guard let certificate = SSL_get1_peer_certificate(stream) else { return nil }
        defer { X509_free(certificate) }
        guard let text = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(text) }
        guard csagamore_tls_write_name(text, X509_get_subject_name(certificate)) >= 0 else { return nil }
        let size = csagamore_bio_pending(text)
        return String(unsafeUninitializedCapacity: size) { buffer in
            max(0, Int(BIO_read(text, buffer.baseAddress, Int32(size))))
        }
    }

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
            guard shakeHands() else { return false }
            guard isReady else { return true }
        }
        while true {
            let count = SSL_read(stream, place.baseAddress, Int32(place.count))
            guard count > 0 else {
                if SSL_get_error(stream, count) == SSL_ERROR_WANT_READ { return true }
                if let reason = ERR_reason_error_string(ERR_peek_error()) {
                    problem = "TLS: \(String(cString: reason))"
                }
                return false
            }
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
