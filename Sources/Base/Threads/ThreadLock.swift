/// A mutex with a condition variable, for state that lives in the fields of an object.
///
/// Prefer `Locked` and `Monitor`, which own their value. This one is for objects whose fields are guarded as a whole.
/// Waits may return spuriously: the caller rechecks its condition.
public final class ThreadLock: Sendable {
    @usableFromInline let mutex = SystemMutex()
    @usableFromInline let condition = SystemCondition()

    /// Creates an unlocked lock.
    public init() {}

    deinit {
        condition.destroy()
        mutex.destroy()
    }

    /// Acquires the lock.
    @inlinable
    public func lock() { mutex.lock() }

    /// Releases the lock.
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

    /// Releases the lock, waits for a signal, and reacquires the lock.
    @inlinable
    public func wait() { condition.wait(mutex) }

    /// Waits for a signal until `deadline`.
    ///
    /// - Returns: false on timeout.
    @inlinable
    @discardableResult
    public func wait(until deadline: MonotonicTime) -> Bool { condition.wait(mutex, until: deadline) }

    /// Waits for a signal with a timeout. Returns at once when it is not positive.
    @inlinable
    public func wait(nanoseconds: Int64) {
        guard nanoseconds > 0 else { return }
        _ = condition.wait(mutex, until: .now.advanced(byNanoseconds: nanoseconds))
    }
}
