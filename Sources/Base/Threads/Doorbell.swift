internal import Synchronization

/// Wakes the one thread that waits for it. A ring while nobody waits is kept; many rings are one.
public final class Doorbell: Sendable {
    private let lock = ThreadLock()
    private let hasRung = Atomic(false)
    private let stopped = Atomic(false)

    /// Makes a bell that has not rung.
    public init() {}

    /// Wakes the waiting thread. One atomic exchange where the bell has rung already.
    public func ring() {
        guard !hasRung.exchange(true, ordering: .acquiringAndReleasing) else { return }
        lock.withLock { lock.signal() }
    }

    /// Rings for ever: from now on nobody waits.
    public func stop() {
        stopped.store(true, ordering: .releasing)
        ring()
    }

    /// Whether `stop` was called.
    public var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Waits for a ring, at most this long, and takes it.
    ///
    /// - Returns: false when the time was up.
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
