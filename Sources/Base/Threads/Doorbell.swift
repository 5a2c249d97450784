internal import Synchronization

/// Wakes the one thread that waits for it. A ring is kept until the next wait; several rings count as one.
public final class Doorbell: Sendable {
    private let lock = ThreadLock()
    private let hasRung = Atomic(false)
    private let stopped = Atomic(false)

    /// Creates a bell that has not rung.
    public init() {}

    /// Wakes the waiting thread. Costs one atomic exchange when the bell has already rung.
    public func ring() {
        guard !hasRung.exchange(true, ordering: .acquiringAndReleasing) else { return }
        lock.withLock { lock.signal() }
    }

    /// Rings permanently: all later waits return at once.
    public func stop() {
        stopped.store(true, ordering: .releasing)
        ring()
    }

    /// Whether `stop` was called.
    public var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Waits for a ring and consumes it.
    ///
    /// - Returns: false on timeout.
    @discardableResult
    public func wait(_ limit: Duration) -> Bool {
        if take() || isStopped { return true }
        let deadline = MonotonicTime.now + limit
        return lock.withLock {
            while !take() {
                if isStopped { return true }
                if !lock.wait(until: deadline) { return take() || isStopped }
            }
            return true
        }
    }

    private func take() -> Bool { hasRung.exchange(false, ordering: .acquiringAndReleasing) }
}
