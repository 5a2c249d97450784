internal import Glibc

/// A thread for work that blocks, which Swift's own threads are not for.
public final class ProgramThread: @unchecked Sendable {
    // Written once before anybody else sees this object.
    private var handle = pthread_t()

    private final class Work {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread.
    ///
    /// - Parameter name: shown by the system's tools; 15 bytes at most are kept.
    public init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(String(name.prefix(15)), body))
        let failure = pthread_create(
            &handle,
            nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                ProgramThread.showName(work.name)
                work.body()
                return nil
            },
            work.toOpaque()
        )
        // A process that gets no thread at its start can't do anything.
        precondition(failure == 0, "the system gave no thread: \(String(cString: strerror(failure)))")
    }

    private static func showName(_ name: String) {
        guard let file = fopen("/proc/thread-self/comm", "w") else { return }
        fputs(name, file)
        fclose(file)
    }

    /// Waits for its end. Once, and from another thread.
    public func join() {
        pthread_join(handle, nil)
    }

    /// Runs `body` on a new thread and waits for it without holding one of Swift's.
    public static func run<Value: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread = ProgramThread(name) {
                continuation.resume(with: Result { try body() })
            }
            pthread_detach(thread.handle)
        }
    }
}
