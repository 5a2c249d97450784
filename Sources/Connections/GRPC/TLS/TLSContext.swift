internal import CSagamoreTLS

/// The TLS settings of one end: its certificate and key, and the roots that it trusts.
final class TLSContext: Sendable {
    // Configured in `init`. Afterwards only the library reads it.
    nonisolated(unsafe) let context: OpaquePointer

    private init?(_ method: OpaquePointer?) {
        guard let context = SSL_CTX_new(method) else { return nil }
        self.context = context
        _ = csagamore_tls_set_oldest_version(context)
        _ = csagamore_tls_set_mode(context)
    }

    /// A server's. Nil when the certificate, the key or the roots are not PEM, or do not match.
    convenience init?(server tls: GRPCServerConfiguration.TLS) {
        defer { ERR_clear_error() }
        self.init(TLS_server_method())
        guard use(certificates: tls.certificateChain, key: tls.privateKey) else { return nil }
        if let roots = tls.clientRoots {
            guard trust(roots, announces: true) else { return nil }
            // Without a session id context, clients that resume a session would be refused.
            let name = Array("sagamore".utf8)
            SSL_CTX_set_session_id_context(context, name, UInt32(name.count))
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        }
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, count, _ in
                TLSContext.chooseHTTP2(chosen, length, offered, count)
            },
            nil
        )
    }

    /// A client's, which accepts only servers whose certificates a root has signed. Nil when the roots, the certificate
    /// or the key are not PEM, or do not match.
    convenience init?(client tls: GRPCChannelConfiguration.TLS) {
        defer { ERR_clear_error() }
        self.init(TLS_client_method())
        if let roots = tls.serverRoots {
            guard trust(roots, announces: false) else { return nil }
        } else {
            SSL_CTX_set_default_verify_paths(context)
        }
        switch (tls.certificateChain, tls.privateKey) {
        case (nil, nil): break
        case (let chain?, let key?): guard use(certificates: chain, key: key) else { return nil }
        default: return nil
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        let protocols = [2] + Array("h2".utf8)
        guard SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0 else { return nil }
    }

    deinit { SSL_CTX_free(context) }

    private func use(certificates: String, key: String) -> Bool {
        let chain = Self.certificates(certificates)
        guard let own = chain.first, SSL_CTX_use_certificate(context, own) == 1 else {
            for certificate in chain { X509_free(certificate) }
            return false
        }
        X509_free(own)
        for certificate in chain.dropFirst() where csagamore_tls_add_chain_certificate(context, certificate) != 1 {
            X509_free(certificate)
        }
        let privateKey = Self.privateKey(key)
        defer { EVP_PKEY_free(privateKey) }
        guard let privateKey, SSL_CTX_use_PrivateKey(context, privateKey) == 1 else { return false }
        return SSL_CTX_check_private_key(context) == 1
    }

    /// - Parameter announces: whether the peer is told which roots its certificate may have.
    private func trust(_ roots: String, announces: Bool) -> Bool {
        let certificates = Self.certificates(roots)
        defer { for certificate in certificates { X509_free(certificate) } }
        guard !certificates.isEmpty, let store = SSL_CTX_get_cert_store(context) else { return false }
        for certificate in certificates {
            X509_STORE_add_cert(store, certificate)
            if announces { SSL_CTX_add_client_CA(context, certificate) }
        }
        return true
    }

    /// The key of a text, which the caller frees. An encrypted key is refused: by default the library would ask for a
    /// passphrase on the terminal.
    static func privateKey(_ text: String) -> OpaquePointer? {
        withReader(text) { PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil) }
    }

    /// The certificates of a text, which the caller frees.
    static func certificates(_ text: String) -> [OpaquePointer] {
        withReader(text) { reader in
            var list: [OpaquePointer] = []
            while let certificate = PEM_read_bio_X509(reader, nil, nil, nil) { list.append(certificate) }
            return list
        }
    }

    private static func withReader<Result>(_ text: String, _ body: (OpaquePointer) -> Result) -> Result {
        var text = text
        return text.withUTF8 { bytes in
            guard let reader = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else {
                fatalError("out of memory")
            }
            defer { BIO_free(reader) }
            return body(reader)
        }
    }

    /// Selects HTTP/2 among the protocols that a client offers.
    private static func chooseHTTP2(
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ length: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafePointer<UInt8>?,
        _ count: UInt32
    ) -> Int32 {
        let list = UnsafeBufferPointer(start: offered, count: Int(count))
        var position = 0
        while position < list.count {
            let size = Int(list[position])
            let name = list[(position + 1)...].prefix(size)
            if name.elementsEqual("h2".utf8) {
                chosen?.pointee = offered.map { $0 + position + 1 }
                length?.pointee = UInt8(size)
                return SSL_TLSEXT_ERR_OK
            }
            position += 1 + size
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}
