internal import CSagamoreGRPC
internal import Glibc

/// Threads of our own: nothing here runs on Swift's cooperative pool.
package enum DetachedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread that nobody joins. Returns 0, or the system's error number.
    ///
    /// - Parameter name: at most 15 characters, as shown by `top -H`.
    package static func start(_ name: String, _ run: @escaping @Sendable () -> Void) -> Int32 {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            body.toOpaque()
        )
        if code != 0 {
            body.release()
            return code
        }
        csagamore_name_thread(thread, name)
        pthread_detach(thread)
        return 0
    }
}
