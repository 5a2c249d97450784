internal import Glibc

/// A thread of the operating system that can be waited for: what blocks must not run on Swift's cooperative pool.
final class FrontThread: @unchecked Sendable {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    private var thread = pthread_t()

    /// Starts `run`. Of the name, tools show 15 bytes.
    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                FrontThread.nameThisThread(body.name)
                body.run()
                return nil
            },
            Unmanaged.passRetained(Body(name, run)).toOpaque()
        )
        precondition(status == 0, "no thread could be started: error \(status)")
    }

    /// Waits for its end; once.
    func join() { pthread_join(thread, nil) }

    private static func nameThisThread(_ name: String) {
        guard let file = fopen("/proc/thread-self/comm", "w") else { return }
        fputs(String(name.prefix(15)), file)
        fclose(file)
    }
}
