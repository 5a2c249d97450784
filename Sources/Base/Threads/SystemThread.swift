internal import Glibc
internal import Synchronization

/// The system could not create a thread.
public struct ThreadError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The name of the thread that was to start.
    public let name: String
    /// The system's error: EAGAIN when the thread limit is reached or there is no memory for a stack.
    public let errno: Int32

    public var description: String {
        "cannot start thread \(name): \(String(cString: strerror(errno))). Raise the thread limit (ulimit -u, the "
            + "container's pids limit) or the memory limit"
    }
}

/// A thread of the operating system, for blocking work: Swift's cooperative threads must not block.
///
/// It starts on creation. Unless joined, it is detached when its object is released.
public final class SystemThread: Sendable {
    /// How a thread treats the signals of the process.
    public enum Signals: Sendable {
        /// Blocks all signals except those that its own faults raise.
        case blocked
        /// Inherits the mask of the creating thread: for user code, whose child processes inherit it in turn.
        case inherited
    }

    private let handle: pthread_t
    private let isJoined = Atomic(false)

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: shown by `top -H`, debuggers and profilers, which see its first 15 bytes.
    ///   - stackSize: in bytes; nil for the system's default.
    /// - Throws: when no thread can be created; `body` does not run then.
    public init(
        _ name: String,
        stackSize: Int? = nil,
        signals: Signals = .blocked,
        _ body: sending @escaping () -> Void
    ) throws(ThreadError) {
        let work = Unmanaged.passRetained(Work(name, body))
        var thread = pthread_t()
        let status = Self.create(&thread, stackSize, signals, work.toOpaque())
        guard status == 0 else {
            work.release()
            throw ThreadError(name: name, errno: status)
        }
        handle = thread
    }

    deinit {
        if !isJoined.load(ordering: .relaxed) { pthread_detach(handle) }
    }

    /// Starts an essential thread. Terminates the process with an explanation when it cannot be created.
    public static func required(
        _ name: String,
        signals: Signals = .blocked,
        _ body: sending @escaping () -> Void
    ) -> SystemThread {
        do throws(ThreadError) {
            return try SystemThread(name, signals: signals, body)
        } catch {
            fatalError(error.description)
        }
    }

    /// Waits until the thread has ended. Call it once, from another thread.
    public func join() {
        precondition(!isJoined.exchange(true, ordering: .relaxed), "a thread may be joined only once")
        pthread_join(handle, nil)
    }

    /// Whether the caller runs on this thread.
    public var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

    /// Runs `body` on a new thread and waits for it without blocking a cooperative thread.
    ///
    /// - Throws: what `body` throws, or `ThreadError`.
    public static func run<Value: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do throws(ThreadError) {
                _ = try SystemThread(name) { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Blocks the calling thread. Wall clock changes do not affect the duration.
    public static func sleep(_ length: Duration) {
        var end = (MonotonicTime.now + length).timespec
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil) == EINTR {}
    }

    // MARK: The start

    private final class Work {
        let name: String
        let body: () -> Void

        init(_ name: String, _ body: sending @escaping () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private static func create(
        _ thread: inout pthread_t,
        _ stackSize: Int?,
        _ signals: Signals,
        _ work: UnsafeMutableRawPointer
    ) -> Int32 {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if let stackSize {
            let status = pthread_attr_setstacksize(&attributes, stackSize)
            guard status == 0 else { return status }
        }
        // The new thread inherits the mask, so it never runs with another one.
        var before = sigset_t()
        if signals == .blocked {
            var blocked = othersSignals
            pthread_sigmask(SIG_BLOCK, &blocked, &before)
        }
        defer { if signals == .blocked { pthread_sigmask(SIG_SETMASK, &before, nil) } }
        return pthread_create(
            &thread,
            &attributes,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                SystemThread.nameThisThread(work.name)
                work.body()
                return nil
            },
            work
        )
    }

    /// All signals except those that a fault of the thread raises: if blocked, they would end the process without a
    /// backtrace.
    private static var othersSignals: sigset_t {
        var set = sigset_t()
        sigfillset(&set)
        for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&set, signal) }
        return set
    }

    /// `pthread_setname_np` is a GNU extension that Swift does not import.
    private static func nameThisThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let bytes = Array(name.utf8.prefix(15))
        _ = write(file, bytes, bytes.count)
        close(file)
    }
}
