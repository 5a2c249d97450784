internal import Glibc

/// A detached thread of the operating system: librdkafka blocks, and Swift's cooperative pool must not.
enum BackgroundThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts `run` on a thread of its own. `name` is what tools show, of which Linux keeps 15 bytes.
    static func start(_ name: String, _ run: @escaping @Sendable () -> Void) {
        let status = create(Unmanaged.passRetained(Body(name, run)).toOpaque())
        if status != 0 { fatalError("no thread could be started: error \(status)") }
    }

    private static func create(_ body: UnsafeMutableRawPointer) -> Int32 {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        return pthread_create(&thread, &attributes, entry, body)
    }

    private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        nameThisThread(body.name)
        body.run()
        return nil
    }

    private static func nameThisThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var name = String(name.prefix(15))
        _ = name.withUTF8 { write(file, $0.baseAddress, $0.count) }
    }
}
