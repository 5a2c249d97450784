internal import CSagamoreHTTP2
internal import Glibc

/// The sockets that a server listens on: one for each address of the host name.
struct ServerListener: Sendable {
    let descriptors: [Int32]
    let port: Int

    /// Stops listening.
    func close() {
        for descriptor in descriptors { Glibc.close(descriptor) }
    }

    /// Starts listening.
    ///
    /// - Throws: `portBusy`, `cannotListen`.
    static func open(host: String, port: Int) throws(GRPCServerError) -> ServerListener {
        guard (0...Int(UInt16.max)).contains(port) else {
            throw .cannotListen(host: host, port: port, reason: "a port is a number from 0 to 65535")
        }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let name = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let code = getaddrinfo(name, String(port), &hints, &list)
        guard code == 0, let list else {
            throw .cannotListen(host: host, port: port, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(list) }
        var descriptors: [Int32] = []
        var chosen = port
        var failure: Int32 = 0
        addresses: for entry in sequence(first: list, next: { $0.pointee.ai_next }) {
            switch listen(on: entry.pointee, port: chosen) {
            case .success(let (descriptor, port)):
                descriptors.append(descriptor)
                chosen = port
            case .failure(let error):
                failure = error.code
                // Another program has the port on one of the addresses.
                if error.code == EADDRINUSE { break addresses }
            }
        }
        guard failure != EADDRINUSE, !descriptors.isEmpty else {
            for descriptor in descriptors { Glibc.close(descriptor) }
            if failure == EADDRINUSE { throw .portBusy(host: host, port: port) }
            throw .cannotListen(host: host, port: port, reason: String(cString: strerror(failure)))
        }
        return ServerListener(descriptors: descriptors, port: chosen)
    }

    private struct SystemError: Error { let code: Int32 }

    private static func listen(on entry: addrinfo, port: Int) -> Result<(Int32, Int), SystemError> {
        let kind = entry.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(entry.ai_family, kind, entry.ai_protocol)
        guard descriptor >= 0 else { return .failure(SystemError(code: errno)) }
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Not SO_REUSEPORT: two servers on one port would each get some of the connections.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        // Each address of a name has its own socket. The wildcard address serves both kinds.
        if entry.ai_family == AF_INET6, entry.ai_next != nil {
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, size)
        }
        var address = sockaddr_storage()
        let length = Int(entry.ai_addrlen)
        withUnsafeMutableBytes(of: &address) { place in
            place.copyMemory(from: UnsafeRawBufferPointer(start: entry.ai_addr, count: length))
        }
        SocketAddress.set(port: port, in: &address)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) == 0 }
        }
        guard isBound, Glibc.listen(descriptor, SOMAXCONN) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            return .failure(SystemError(code: code))
        }
        return .success((descriptor, SocketAddress.port(of: descriptor) ?? port))
    }
}

/// Internet addresses in the form of the system.
enum SocketAddress {
    static func set(port: Int, in address: inout sockaddr_storage) {
        // The port is at the same offset in both kinds of addresses.
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: UInt16(port).bigEndian, toByteOffset: 2, as: UInt16.self)
        }
    }

    static func port(of descriptor: Int32) -> Int? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard code == 0 else { return nil }
        return withUnsafeBytes(of: &address) { Int(UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self))) }
    }

    /// The address as `ipv4:127.0.0.1:50000` or `ipv6:[::1]:50000`; empty for other kinds of addresses.
    static func text(_ address: sockaddr_storage, length: socklen_t) -> String {
        var address = address
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let (hostLength, portLength) = (socklen_t(host.count), socklen_t(port.count))
                return getnameinfo($0, length, &host, hostLength, &port, portLength, NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard code == 0 else { return "" }
        func string(_ text: [CChar]) -> String {
            String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return address.ss_family == sa_family_t(AF_INET6)
            ? "ipv6:[\(string(host))]:\(string(port))" : "ipv4:\(string(host)):\(string(port))"
    }
}
