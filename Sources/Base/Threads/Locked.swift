/// A value protected by a lock.
public final class Locked<Value>: @unchecked Sendable {
    // Unchecked: the value is accessed only with the mutex held. It is allocated separately because accesses to fields
    // of an object are checked for exclusivity at run time, which the mutex already guarantees.
    @usableFromInline let mutex = SystemMutex()
    @usableFromInline let value: UnsafeMutablePointer<Value>

    /// Protects `value` with a new lock.
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

    /// Runs `body` with the lock held. Returns nil without waiting when another thread holds it.
    @inlinable
    public func withLockIfAvailable<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard mutex.tryLock() else { return nil }
        defer { mutex.unlock() }
        return try body(&value.pointee)
    }
}
