internal import Glibc

/// Requests over HTTP/1.1 to a server on this machine, one a connection.
package enum HTTPExchange {
    /// A connection; nil when nobody listens.
    package static func connect(port: Int) -> Int32? {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { return socket }
        close(socket)
        return nil
    }

    /// Sends a text, and returns all that comes until the other end closes.
    package static func send(_ text: String, port: Int) -> String {
        guard let socket = connect(port: port) else { return "no connection" }
        defer { close(socket) }
        _ = text.withCString { Glibc.send(socket, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }

    /// The answer to a request without a body, with its header fields.
    package static func request(_ method: String, _ path: String, port: Int) -> String {
        send("\(method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: port)
    }

    /// A page's status and body.
    package static func page(_ path: String, port: Int) -> (status: Int, body: String) {
        let answer = request("GET", path, port: port)
        let words = answer.split(separator: " ", maxSplits: 2)
        guard words.count > 1, let end = answer.firstRange(of: "\r\n\r\n") else { return (0, answer) }
        return (Int(words[1]) ?? 0, String(answer[end.upperBound...]))
    }
}
