internal import Glibc
internal import Synchronization

/// Wakes the one thread that waits at it. A ring while nobody waits is kept; many are one.
final class Doorbell: @unchecked Sendable {
    /// Mutex and condition live on the heap: their addresses must not change.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let hasRung = Atomic(false)
    private let stopped = Atomic(false)

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

    /// Cheap where it has rung already.
    func ring() {
        guard !hasRung.exchange(true, ordering: .acquiringAndReleasing) else { return }
        pthread_mutex_lock(mutex)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Rings for ever.
    func stop() {
        stopped.store(true, ordering: .releasing)
        ring()
    }

    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Waits for a ring, at most so long, and takes it. False when the time was over.
    @discardableResult
    func wait(_ limit: Duration) -> Bool {
        if hasRung.exchange(false, ordering: .acquiringAndReleasing) || isStopped { return true }
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        let (seconds, attoseconds) = max(limit, .zero).components
        until.tv_sec += Int(min(seconds, 3_600))
        until.tv_nsec += Int(attoseconds / 1_000_000_000)
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_sec += 1
            until.tv_nsec -= 1_000_000_000
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !hasRung.exchange(false, ordering: .acquiringAndReleasing) {
            if isStopped { return true }
            if pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT {
                return hasRung.exchange(false, ordering: .acquiringAndReleasing)
            }
        }
        return true
    }
}
