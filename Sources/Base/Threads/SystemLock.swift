public import Glibc

/// The operating system's mutex at a stable address, which fields of Swift objects do not have.
///
/// `pthread_mutex_t` rather than `Synchronization.Mutex`: under contention it takes a third of the CPU, and
/// ThreadSanitizer supports it. The owner calls `destroy` once.
@usableFromInline
struct SystemMutex: Sendable {
    // The pointer never changes, and its target is thread-safe.
    @usableFromInline nonisolated(unsafe) let pointer: UnsafeMutablePointer<pthread_mutex_t>

    @usableFromInline
    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: pthread_mutex_t())
        pthread_mutex_init(pointer, nil)
    }

    @usableFromInline
    func destroy() {
        pthread_mutex_destroy(pointer)
        pointer.deallocate()
    }

    @inlinable
    func lock() { pthread_mutex_lock(pointer) }

    /// Returns false when another thread holds the lock.
    @inlinable
    func tryLock() -> Bool { pthread_mutex_trylock(pointer) == 0 }

    @inlinable
    func unlock() { pthread_mutex_unlock(pointer) }
}

/// The operating system's condition variable on the monotonic clock. The owner calls `destroy` once.
@usableFromInline
struct SystemCondition: Sendable {
    // The pointer never changes, and its target is thread-safe.
    @usableFromInline nonisolated(unsafe) let pointer: UnsafeMutablePointer<pthread_cond_t>

    @usableFromInline
    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: pthread_cond_t())
        var attributes = Self.attributes()
        pthread_cond_init(pointer, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    /// Changes of the wall clock must not affect timed waits.
    static func attributes() -> pthread_condattr_t {
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        return attributes
    }

    @usableFromInline
    func destroy() {
        pthread_cond_destroy(pointer)
        pointer.deallocate()
    }

    @inlinable
    func signal() { pthread_cond_signal(pointer) }

    @inlinable
    func broadcast() { pthread_cond_broadcast(pointer) }

    @inlinable
    func wait(_ mutex: SystemMutex) { pthread_cond_wait(pointer, mutex.pointer) }

    /// Returns false on timeout.
    @inlinable
    func wait(_ mutex: SystemMutex, until deadline: MonotonicTime) -> Bool {
        var time = deadline.timespec
        return pthread_cond_timedwait(pointer, mutex.pointer, &time) != ETIMEDOUT
    }
}
