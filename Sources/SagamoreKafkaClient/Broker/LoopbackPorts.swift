internal import Glibc

/// Ports of the loopback interface that nobody uses at the moment.
enum LoopbackPorts {
    /// Different ports. Somebody else may take one before its user does; that is rare and seen at once.
    static func free(_ count: Int) -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return (0..<count).map { _ in
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(socket)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = bind(socket, $0, length)
                    _ = getsockname(socket, $0, &length)
                }
            }
            return UInt16(bigEndian: address.sin_port)
        }
    }
}
