import Foundation

/// A network namespace that has only a loopback device, whose link a test can cut.
///
/// Sockets belong to the network of the thread that creates them, and child processes to that of the thread that starts
/// them. Unix sockets are not affected: a server inside stays reachable through its folder.
final class PrivateNetwork: Sendable {
    /// Why this process cannot create one; nil if it can.
    static let obstacle: String? = {
        do {
            _ = try PrivateNetwork()
            return nil
        } catch {
            return "needs the right to create network namespaces (CAP_SYS_ADMIN): \(error)"
        }
    }()

    /// Keeps the namespace, and lets other threads enter it.
    private let namespace: Int32

    init() throws {
        namespace = try BackgroundCall {
            guard Self.unshare(Self.newNetwork) == 0 else { throw SystemCallError("unshare") }
            try Self.setLoopback(isUp: true)
            let descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw SystemCallError("open") }
            return descriptor
        }.value()
    }

    deinit { close(namespace) }

    /// Begins `body` on a thread inside.
    func begin<Value>(_ body: @escaping () throws -> Value) -> BackgroundCall<Value> {
        BackgroundCall { [self] in
            guard Self.setns(namespace, Self.newNetwork) == 0 else { throw SystemCallError("setns") }
            return try body()
        }
    }

    /// Runs `body` on a thread inside, and waits for it.
    func run<Value>(_ body: @escaping () throws -> Value) throws -> Value { try begin(body).value() }

    /// From now on, packets of all connections are lost, and neither end is told.
    func cutLink() throws {
        try run { try Self.setLoopback(isUp: false) }
    }

    /// The descriptor of this process's TCP socket with the local port.
    static func socket(localPort: UInt16) -> Int32? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }.first { descriptor in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isNamed = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
            }
            return isNamed && address.sin_family == sa_family_t(AF_INET)
                && UInt16(bigEndian: address.sin_port) == localPort
        }
    }

    // What Swift does not import from <sched.h>.
    private static let newNetwork: Int32 = 0x4000_0000
    private static let unshare = unsafeBitCast(dlsym(nil, "unshare"), to: (@convention(c) (Int32) -> Int32).self)
    private static let setns = unsafeBitCast(dlsym(nil, "setns"), to: (@convention(c) (Int32, Int32) -> Int32).self)

    private static func setLoopback(isUp: Bool) throws {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemCallError("socket") }
        defer { close(descriptor) }
        // struct ifreq: 16 bytes of name, then the flags, of which UP is the first.
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<2, with: Array("lo".utf8))
        request[16] = isUp ? 1 : 0
        let setFlags: UInt = 0x8914  // SIOCSIFFLAGS
        guard ioctl(descriptor, setFlags, &request) == 0 else { throw SystemCallError("ioctl") }
    }
}

struct SystemCallError: Error, CustomStringConvertible {
    let description: String

    init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}

/// A call on a thread of its own, which may block.
///
/// Unchecked: the result is written before the semaphore is signaled, and read after it was waited for.
final class BackgroundCall<Value>: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var result: Result<Value, any Error>?

    init(_ body: @escaping () throws -> Value) {
        nonisolated(unsafe) let body = body
        Thread { [self] in
            result = Result { try body() }
            done.signal()
        }.start()
    }

    /// Waits for the result, for up to two minutes.
    func value() throws -> Value {
        guard done.wait(timeout: .now() + 120) == .success, let result else { throw Unfinished() }
        done.signal()
        return try result.get()
    }

    struct Unfinished: Error {}
}
