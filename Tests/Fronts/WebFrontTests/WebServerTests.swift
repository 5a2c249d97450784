import Glibc
import SagamoreWebFront
import SagamoreWebTestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct WebServerTests {
    private func server() throws -> WebServer {
        try WebServer(
            host: "127.0.0.1",
            port: 0,
            idleSeconds: 1,
            pages: [
                "/hello": { WebResponse("hello\n") },
                "/down": { WebResponse(status: 503, "not ready\n") },
                "/large": { WebResponse(String(repeating: "x", count: 1 << 20)) },
            ]
        )
    }

    private func request(_ port: Int, _ method: String, _ path: String) -> String {
        HTTPExchange.request(method, path, port: port)
    }

    @Test func pagesAreAnswered() throws {
        let server = try server()
        defer { server.stop() }
        let hello = request(server.port, "GET", "/hello?x=1")
        #expect(hello.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(hello.contains("Content-Type: text/plain; charset=utf-8\r\n"))
        #expect(hello.hasSuffix("\r\n\r\nhello\n"))
        #expect(request(server.port, "HEAD", "/hello").hasSuffix("\r\n\r\n"))
        #expect(request(server.port, "GET", "/down").hasPrefix("HTTP/1.1 503 "))
        let missing = request(server.port, "GET", "/nowhere")
        #expect(missing.hasPrefix("HTTP/1.1 404 "))
        #expect(missing.contains("/hello"))
        #expect(request(server.port, "DELETE", "/hello").hasPrefix("HTTP/1.1 405 "))
        #expect(request(server.port, "GET", "/large").utf8.count > 1 << 20)
    }

    @Test func whatIsNoRequestEndsItsConnection() throws {
        let server = try server()
        defer { server.stop() }
        let field = "X: \(String(repeating: "x", count: 1_000))\r\n"
        let requests = [
            "\r\n\r\n", "nonsense\r\n\r\n", "GET /hello HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}",
            "GET /hello HTTP/1.1\r\nHost: a\r\n" + String(repeating: field, count: 100) + "\r\n",
            "GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\n\r\n",
            "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nxxxx",
        ]
        for text in requests {
            #expect(!HTTPExchange.send(text, port: server.port).contains("hello\n"), "\(text.prefix(40))")
        }
        #expect(request(server.port, "GET", "/hello").hasSuffix("hello\n"))
    }

    @Test func aTakenPortAndABadAddressAreSaid() throws {
        let server = try server()
        defer { server.stop() }
        let taken = #expect(throws: WebServerError.self) {
            try WebServer(host: "127.0.0.1", port: server.port, pages: [:])
        }
        #expect(taken?.description == "cannot listen for HTTP on 127.0.0.1 port \(server.port): Address already in use")
        let bad = #expect(throws: WebServerError.self) { try WebServer(host: "no.address", port: 0, pages: [:]) }
        #expect(bad?.description == "'no.address' is no address to listen on")
    }

    @Test func connectionsAreBounded() throws {
        let server = try server()
        defer { server.stop() }
        // Silent ones take places, until their time is over or they close.
        let sockets = (0..<40).compactMap { _ in HTTPExchange.connect(port: server.port) }
        for socket in sockets { close(socket) }
        let end = ContinuousClock.now + .seconds(30)
        while !request(server.port, "GET", "/hello").hasSuffix("hello\n"), .now < end {}
        #expect(request(server.port, "GET", "/hello").hasSuffix("hello\n"))
    }
}
