internal import Glibc

/// A lock in memory that somebody else owns and that stays where it is.
///
/// `pthread_mutex_t` rather than `Mutex`: it is cheaper when two threads want it at once, and ThreadSanitizer sees it.
struct PlacedLock {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init(at mutex: UnsafeMutablePointer<pthread_mutex_t>) {
        self.mutex = mutex
        pthread_mutex_init(mutex, nil)
    }

    /// To be called once, before the memory goes.
    func destroy() { pthread_mutex_destroy(mutex) }

    /// - Parameter owner: whom the memory belongs to; kept until the lock is free again.
    func withLock<Result>(of owner: AnyObject, _ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_mutex_unlock(mutex)
            withExtendedLifetime(owner) {}
        }
        return body()
    }
}
