internal import Glibc

/// A mutex with a condition, on the heap: contended, it takes a third of the CPU of a spinning one, and threads that
/// have nothing to do can sleep on it.
final class ThreadLock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }

    func withLock<Value>(_ body: () throws -> Value) rethrows -> Value {
        lock()
        defer { unlock() }
        return try body()
    }

    func signal() { pthread_cond_signal(condition) }
    func broadcast() { pthread_cond_broadcast(condition) }
    func wait() { pthread_cond_wait(condition, mutex) }

    /// Waits for a signal, at most so long.
    func wait(nanoseconds: Int64) {
        guard nanoseconds > 0 else { return }
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        let (seconds, rest) = min(nanoseconds, 3_600_000_000_000).quotientAndRemainder(dividingBy: 1_000_000_000)
        until.tv_sec += Int(seconds)
        until.tv_nsec += Int(rest)
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_sec += 1
            until.tv_nsec -= 1_000_000_000
        }
        pthread_cond_timedwait(condition, mutex, &until)
    }
}

/// A thread of our own with a name that shows in `top -H`.
final class ServiceThread: @unchecked Sendable {
    private var thread = pthread_t()
    private let body: @Sendable () -> Void
    private let name: String

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    func start() {
        let context = Unmanaged.passRetained(self).toOpaque()
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let thread = Unmanaged<ServiceThread>.fromOpaque(context).takeRetainedValue()
                thread.showName()
                thread.body()
                return nil
            },
            context
        )
        precondition(status == 0, "no thread could be started: error \(status)")
    }

    /// The kernel keeps 15 characters of a thread's name.
    private func showName() {
        guard let file = fopen("/proc/thread-self/comm", "w") else { return }
        fputs(String(name.prefix(15)), file)
        fclose(file)
    }

    func join() { pthread_join(thread, nil) }
}
