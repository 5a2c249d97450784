internal import CSagamoreCurl

/// Fetches small documents over HTTP, one at a time. Calls block.
public enum HTTPClient {
    /// `curl_global_init` is called once, before other threads use the library.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// The answer to a GET: its body, when the status is 200.
    ///
    /// - Parameters:
    ///   - url: `https://…`; also `http://` with `allowsPlainText`.
    ///   - limit: the most bytes of the body.
    ///   - timeout: for everything together.
    ///   - roots: a file with the roots of the server's certificate (PEM); nil for the system's.
    /// - Throws: ``HTTPClientError``.
    public static func get(
        _ url: String,
        limit: Int,
        timeout: Duration,
        roots: String? = nil,
        allowsPlainText: Bool = false
    ) throws(HTTPClientError) -> [UInt8] {
        let answer = try answer(url, limit: limit, timeout: timeout, roots: roots, allowsPlainText: allowsPlainText)
        guard answer.status == 200 else { throw HTTPClientError("the answer has status \(answer.status)") }
        return answer.body
    }

    /// The same, whatever the status is.
    ///
    /// - Parameter trustsAnybody: whether the server's certificate is not verified: for this machine's own pages.
    public static func answer(
        _ url: String,
        limit: Int,
        timeout: Duration,
        roots: String? = nil,
        allowsPlainText: Bool = false,
        trustsAnybody: Bool = false
    ) throws(HTTPClientError) -> (status: Int, body: [UInt8]) {
        guard isReady, let transfer = curl_easy_init() else { throw HTTPClientError("no memory for a transfer") }
        defer { curl_easy_cleanup(transfer) }
        let body = Body(limit: limit)
        let milliseconds = Int(timeout / .milliseconds(1))
        let codes = [
            csagamore_curl_set_text(transfer, CURLOPT_URL, url),
            csagamore_curl_set_protocols(transfer, allowsPlainText ? 1 : 0),
            csagamore_curl_set_number(transfer, CURLOPT_TIMEOUT_MS, milliseconds),
            // Signals belong to the program.
            csagamore_curl_set_number(transfer, CURLOPT_NOSIGNAL, 1),
            csagamore_curl_set_text(transfer, CURLOPT_ACCEPT_ENCODING, ""),
            csagamore_curl_set_text(transfer, CURLOPT_USERAGENT, "sagamore"),
            csagamore_curl_set_receiver(
                transfer,
                { bytes, size, count, context in
                    guard let bytes, let context else { return 0 }
                    let body = Unmanaged<Body>.fromOpaque(context).takeUnretainedValue()
                    return body.append(UnsafeRawBufferPointer(start: bytes, count: size * count))
                },
                Unmanaged.passUnretained(body).toOpaque()
            ),
        ]
        try check(codes.first { $0 != CURLE_OK } ?? CURLE_OK)
        if trustsAnybody { try check(csagamore_curl_trust_anybody(transfer)) }
        if let roots { try check(csagamore_curl_set_text(transfer, CURLOPT_CAINFO, roots)) }
        let code = withExtendedLifetime(body) { curl_easy_perform(transfer) }
        if body.isTooLarge { throw HTTPClientError("the answer has more than \(limit) bytes") }
        try check(code)
        var status = 0
        try check(csagamore_curl_status(transfer, &status))
        return (status, body.bytes)
    }

    private static func check(_ code: CURLcode) throws(HTTPClientError) {
        guard code != CURLE_OK else { return }
        throw HTTPClientError(curl_easy_strerror(code).map { String(cString: $0) } ?? "error \(code.rawValue)")
    }

    private final class Body {
        private let limit: Int
        private(set) var bytes: [UInt8] = []
        private(set) var isTooLarge = false

        init(limit: Int) { self.limit = limit }

        /// The number of bytes that were taken. Fewer than there are end the transfer.
        func append(_ more: UnsafeRawBufferPointer) -> Int {
            guard bytes.count + more.count <= limit else {
                isTooLarge = true
                return 0
            }
            bytes += more
            return more.count
        }
    }
}

/// Why a document could not be fetched.
public struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong, without the address.
    public let description: String

    init(_ description: String) { self.description = description }
}
