internal import SagamoreThreads

/// Wakes the delivery of a shard's debts.
final class DebtBell: Sendable {
    private let onRing = Locked<@Sendable () -> Void>({})

    /// Sets what a ring does. Called before the first ring.
    func connect(_ onRing: @escaping @Sendable () -> Void) { self.onRing.withLock { $0 = onRing } }

    /// There is something to deliver. May be called under the shard's lock.
    func ring() { onRing.withLock { $0 }() }
}
