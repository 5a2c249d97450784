internal import SagamoreThreads

/// Wakes the delivery of a shard's debts.
final class DebtBell: Sendable {
    /// A struct around the closure: a lock around the closure itself would wrap it once more with each access.
    private struct State {
        var onRing: @Sendable () -> Void = {}
    }

    private let state = Locked(State())

    /// Sets what a ring does. Called before the first ring.
    func connect(_ onRing: @escaping @Sendable () -> Void) { state.withLock { $0.onRing = onRing } }

    /// There is something to deliver. May be called under the shard's lock.
    func ring() { state.withLock { $0.onRing }() }
}
