/// A value behind a lock: one thread at a time reads or changes it.
public final class Locked<Value>: @unchecked Sendable {
    // Unchecked: the value is reached only with the mutex held. It lives on the heap, since an access to a field of an
    // object would be checked for exclusivity at run time, which the mutex grants already.
    @usableFromInline let mutex = SystemMutex()
    @usableFromInline let value: UnsafeMutablePointer<Value>

    /// Puts `value` behind a lock of its own.
    @inlinable
    public init(_ value: consuming sending Value) {
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    @inlinable
    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        mutex.destroy()
    }

    /// Runs `body` with the lock held.
    @inlinable
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body(&value.pointee)
    }

    /// Runs `body` with the lock held; nil, without waiting, where another thread holds it.
    @inlinable
    public func withLockIfAvailable<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard mutex.tryLock() else { return nil }
        defer { mutex.unlock() }
        return try body(&value.pointee)
    }
}
