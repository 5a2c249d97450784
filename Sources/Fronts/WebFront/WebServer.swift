internal import CSagamoreMicroHTTPD
internal import Glibc
internal import SagamoreThreads

/// An answer to a request.
public struct WebResponse: Sendable, Equatable {
    /// The status code.
    public var status: Int
    /// The type of the body.
    public var contentType: String
    /// The body.
    public var body: String

    /// An answer of text.
    public init(status: Int = 200, contentType: String = "text/plain; charset=utf-8", _ body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// The certificate of a web server.
public struct WebCertificate: Sendable, Hashable {
    /// The certificate and its intermediate ones (PEM).
    public var chain: String
    /// The key of the first (PEM, without a passphrase).
    public var key: String

    /// A certificate with its key.
    public init(chain: String, key: String) {
        self.chain = chain
        self.key = key
    }
}

/// Why a web server cannot start.
public struct WebServerError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, and what to do.
    public let description: String
}

/// Answers GET and HEAD requests for a few pages, by libmicrohttpd, on one thread of its own.
///
/// At most 64 connections at a time, 16 of one address, each closed when it is silent for a while, each with 16 KiB for
/// a request's line and header fields. Bodies are refused.
public final class WebServer: Sendable {
    /// The handler of a path. It runs on the server's thread.
    public typealias Handler = @Sendable () -> WebResponse

    private let daemon: Locked<Daemon?>
    private let pages: Pages
    private let host: String
    private let idleSeconds: UInt32
    /// The port on which it listens.
    public let port: Int

    private final class Pages: Sendable {
        let handlers: [String: Handler]
        init(_ handlers: [String: Handler]) { self.handlers = handlers }
    }

    /// Starts listening.
    ///
    /// - Parameters:
    ///   - host: an address, not a name.
    ///   - port: 0 for any free one.
    ///   - tls: nil: without encryption.
    ///   - idleSeconds: after which a silent connection is closed.
    ///   - pages: handlers by path.
    /// - Throws: `WebServerError` when the address or the certificate cannot be used.
    public init(
        host: String,
        port: Int,
        tls: WebCertificate? = nil,
        idleSeconds: UInt32 = 10,
        pages: [String: Handler]
    ) throws(WebServerError) {
        self.pages = Pages(pages)
        self.host = host
        self.idleSeconds = idleSeconds
        let started = try Self.start(host, port, tls, idleSeconds, self.pages)
        self.port = Int(csagamore_mhd_port(started.pointer))
        daemon = Locked(started)
    }

    deinit { stop() }

    /// Stops listening and closes all connections. May be called again.
    public func stop() {
        let running = daemon.withLock { daemon in
            defer { daemon = nil }
            return daemon
        }
        running?.stop()
    }

    /// Listens anew, with another certificate; connections are closed. Nothing happens once it has stopped.
    /// - Throws: `WebServerError`; it does not listen then.
    public func replaceCertificate(_ tls: WebCertificate) throws(WebServerError) {
        let result: Result<Void, WebServerError> = daemon.withLock { daemon in
            guard let old = daemon else { return .success(()) }
            // The port is free only when the old one has let it go.
            old.stop()
            daemon = nil
            do throws(WebServerError) {
                daemon = try Self.start(host, port, tls, idleSeconds, pages)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Unchecked: libmicrohttpd's daemon has its own locks, and its owner stops it once.
    private struct Daemon: @unchecked Sendable {
        let pointer: OpaquePointer
        let texts: [UnsafeMutablePointer<CChar>]

        func stop() {
            MHD_stop_daemon(pointer)
            for text in texts { free(text) }
        }
    }

    private static func start(
        _ host: String,
        _ port: Int,
        _ tls: WebCertificate?,
        _ idleSeconds: UInt32,
        _ pages: Pages
    ) throws(WebServerError) -> Daemon {
        let context = Unmanaged.passUnretained(pages).toOpaque()
        let texts = tls.map { [strdup($0.chain)!, strdup($0.key)!] } ?? []
        errno = 0
        let started = withAddress(host, port) { address in
            guard texts.count == 2 else {
                return csagamore_mhd_start(address, 64, 16, idleSeconds, 16_384, webServerAnswer, context)
            }
            let (chain, key) = (texts[0], texts[1])
            return csagamore_mhd_start_tls(address, 64, 16, idleSeconds, 16_384, webServerAnswer, context, chain, key)
        }
        if case .some(.some(let running)) = started { return Daemon(pointer: running, texts: texts) }
        for text in texts { free(text) }
        guard started != nil else { throw WebServerError(description: "'\(host)' is no address to listen on") }
        let other = tls == nil ? "the address cannot be used" : "the address or the certificate cannot be used"
        let reason = errno == 0 ? other : String(cString: strerror(errno))
        throw WebServerError(description: "cannot listen for HTTP on \(host) port \(port): \(reason)")
    }

    /// Nil when the host is no address.
    private static func withAddress<Result>(
        _ host: String,
        _ port: Int,
        _ body: (UnsafePointer<sockaddr>) -> Result
    ) -> Result? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let name = host == "localhost" ? "127.0.0.1" : host
        guard getaddrinfo(name, String(port), &hints, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        return body(found.pointee.ai_addr)
    }

    fileprivate static func response(
        _ context: UnsafeMutableRawPointer,
        _ path: String,
        _ method: String
    ) -> WebResponse {
        let pages = Unmanaged<Pages>.fromOpaque(context).takeUnretainedValue()
        guard let handler = pages.handlers[path] else {
            let known = pages.handlers.keys.sorted().joined(separator: "\n")
            return WebResponse(status: 404, "There is no such page. There are:\n\(known)\n")
        }
        guard method == "GET" || method == "HEAD" else {
            return WebResponse(status: 405, "Only GET and HEAD are answered.\n")
        }
        return handler()
    }
}

/// libmicrohttpd's callback: once for the header fields, and again at the end of the request.
private func webServerAnswer(
    _ context: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ path: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?,
    _ upload: UnsafePointer<CChar>?,
    _ uploadSize: UnsafeMutablePointer<Int>?,
    _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    // Closes the connection.
    let refusal = MHD_Result(rawValue: 0)!
    guard let context, let path, let method else { return refusal }
    let answer = WebServer.response(context, String(cString: path), String(cString: method))
    var body = answer.body
    guard let response = body.withUTF8({ csagamore_mhd_response($0.baseAddress, $0.count) }) else { return refusal }
    defer { MHD_destroy_response(response) }
    MHD_add_response_header(response, "Content-Type", answer.contentType)
    MHD_add_response_header(response, "Cache-Control", "no-store")
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff")
    if answer.status == 405 { MHD_add_response_header(response, "Allow", "GET, HEAD") }
    return MHD_queue_response(connection, UInt32(answer.status), response)
}
