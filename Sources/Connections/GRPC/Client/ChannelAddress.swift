internal import Glibc

/// The address of a server as users write it: `HOST:PORT`, `[IPv6]:PORT`, a host alone, or `dns:///HOST:PORT`.
struct ChannelAddress: Sendable, Equatable {
    let host: String
    let port: Int

    /// The port of an address that names none.
    static let defaultPort = 7233

    init?(_ text: String) {
        var text = Substring(text)
        for scheme in ["dns:///", "dns:"] where text.hasPrefix(scheme) { text = text.dropFirst(scheme.count) }
        var host = text
        var port = "\(Self.defaultPort)"[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":") else { return nil }
                port = rest.dropFirst()
            }
        } else if let colon = text.lastIndex(of: ":"), text[..<colon].firstIndex(of: ":") == nil {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains("/"), let number = Int(port), (1...65_535).contains(number) else {
            return nil
        }
        self.host = String(host)
        self.port = number
    }

    /// As it stands in a request.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// An address that a socket connects to, and the server that it belongs to.
struct PeerAddress: Sendable {
    let server: ChannelAddress
    let storage: sockaddr_storage
    let length: socklen_t

    /// The addresses of a server.
    ///
    /// - Parameter asksNetwork: false for addresses in numbers alone, which need no waiting.
    /// - Throws: why there are none; nil where only the network can tell.
    static func all(of server: ChannelAddress, asksNetwork: Bool) throws(Unresolved) -> [PeerAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (asksNetwork ? 0 : AI_NUMERICHOST)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(server.host, String(server.port), &hints, &list)
        guard code == 0, let list else {
            throw Unresolved(reason: "\(server.host): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0.pointee.ai_next }).map { entry in
            var storage = sockaddr_storage()
            let length = Int(entry.pointee.ai_addrlen)
            withUnsafeMutableBytes(of: &storage) { place in
                place.copyMemory(from: UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: length))
            }
            return PeerAddress(server: server, storage: storage, length: socklen_t(length))
        }
    }

    struct Unresolved: Error { let reason: String }

    /// Begins to connect. Returns the socket, which becomes writable when that has succeeded or failed; or the system's
    /// error.
    func connect() -> Result<Int32, SystemError> {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(Int32(storage.ss_family), kind, 0)
        guard descriptor >= 0 else { return .failure(SystemError(code: errno)) }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        var storage = storage
        let code = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
        if code == 0 || errno == EINPROGRESS { return .success(descriptor) }
        let failure = SystemError(code: errno)
        close(descriptor)
        return .failure(failure)
    }

    struct SystemError: Error, CustomStringConvertible {
        let code: Int32
        var description: String { String(cString: strerror(code)) }
    }
}
