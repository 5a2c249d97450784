internal import Glibc

/// Free ports of the loopback interface.
package enum LoopbackPorts {
    /// Distinct ports below the kernel's ephemeral range, so that they stay free while a broker restarts. Another
    /// process may choose the same port; that is rare and fails at once. 0 stands for no free port.
    package static func free(_ count: Int) -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return (0..<count).map { _ in
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(socket)
            for _ in 0..<1_000 {
                let port = UInt16.random(in: 12_000..<32_000)
                if take(port, socket) { return port }
            }
            return 0
        }
    }

    private static func take(_ port: UInt16, _ socket: Int32) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
