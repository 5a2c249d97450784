/// A mutex with a condition variable, for state that lives in the fields of an object.
///
/// `Locked` and `Monitor` hold their value and can't be used wrongly; this one is for objects whose fields are guarded
/// as a whole. Waits may return without a signal: the caller checks its condition again.
public final class ThreadLock: Sendable {
    @usableFromInline let mutex = SystemMutex()
    @usableFromInline let condition = SystemCondition()

    /// Makes a lock that nobody holds.
    public init() {}

    deinit {
        condition.destroy()
        mutex.destroy()
    }

    /// Blocks until the lock is free, and takes it.
    @inlinable
    public func lock() { mutex.lock() }

    /// Gives the lock back.
    @inlinable
    public func unlock() { mutex.unlock() }

    /// Runs `body` with the lock held.
    @inlinable
    public func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body()
    }

    /// Wakes one waiting thread.
    @inlinable
    public func signal() { condition.signal() }

    /// Wakes all waiting threads.
    @inlinable
    public func broadcast() { condition.broadcast() }

    /// Releases the lock, waits for a signal, and takes the lock again.
    @inlinable
    public func wait() { condition.wait(mutex) }

    /// Waits for a signal until `deadline` at the latest.
    ///
    /// - Returns: false when the time was up.
    @inlinable
    @discardableResult
    public func wait(until deadline: MonotonicTime) -> Bool { condition.wait(mutex, until: deadline) }

    /// Waits for a signal, at most this long. Returns at once where there is no time.
    @inlinable
    public func wait(nanoseconds: Int64) {
        guard nanoseconds > 0 else { return }
        _ = condition.wait(mutex, until: .now.advanced(byNanoseconds: nanoseconds))
    }
}
