/// A value protected by a lock, with a condition variable to wait for changes.
public final class Monitor<Value>: @unchecked Sendable {
    // Unchecked: the value is accessed only with the mutex held. It is allocated separately because accesses to fields
    // of an object are checked for exclusivity at run time, which the mutex already guarantees.
    @usableFromInline let mutex = SystemMutex()
    @usableFromInline let condition = SystemCondition()
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
        condition.destroy()
        mutex.destroy()
    }

    /// Accesses the value without waking threads.
    @inlinable
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body(&value.pointee)
    }

    /// Changes the value and wakes all waiting threads.
    @inlinable
    public func change<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        defer { condition.broadcast() }
        return try body(&value.pointee)
    }

    /// Changes the value and wakes one waiting thread.
    @inlinable
    public func changeForOne<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        defer { condition.signal() }
        return try body(&value.pointee)
    }

    /// Waits until `isReached` is true, without a limit.
    @inlinable
    public func wait(until isReached: (Value) -> Bool) {
        mutex.lock()
        defer { mutex.unlock() }
        while !isReached(value.pointee) { condition.wait(mutex) }
    }

    /// Waits until `body` returns a value, without a limit.
    @inlinable
    public func wait<Result>(for body: (inout Value) -> Result?) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        while true {
            if let result = body(&value.pointee) { return result }
            condition.wait(mutex)
        }
    }

    /// Waits until `body` returns a value. Returns nil on timeout.
    @inlinable
    public func wait<Result>(atMost limit: Duration, for body: (inout Value) -> Result?) -> Result? {
        let deadline = MonotonicTime.now + limit
        mutex.lock()
        defer { mutex.unlock() }
        while true {
            if let result = body(&value.pointee) { return result }
            // A change may have coincided with the timeout.
            if !condition.wait(mutex, until: deadline) { return body(&value.pointee) }
        }
    }
}
