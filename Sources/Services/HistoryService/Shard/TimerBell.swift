internal import SagamoreEngine
internal import SagamoreThreads

/// Wakes a shard's timer for a deadline that is earlier than the one for which it sleeps.
final class TimerBell: Sendable {
    private struct State {
        /// Who is earlier has to ring.
        var wake = Instant.distantFuture
        var onRing: @Sendable () -> Void = {}
    }

    private let state = Locked(State())

    /// Says what a ring does. Before the first one.
    func connect(_ onRing: @escaping @Sendable () -> Void) { state.withLock { $0.onRing = onRing } }

    /// There is a deadline that the timer may not know. Called under the shard's lock.
    func ring(for deadline: Instant) {
        let onRing = state.withLock { deadline < $0.wake ? $0.onRing : nil }
        onRing?()
    }

    /// The timer looks at the shard: what comes from now on it may miss.
    func listen() { state.withLock { $0.wake = .distantFuture } }

    /// The timer sleeps until then.
    func sleep(until wake: Instant) { state.withLock { $0.wake = wake } }

    /// The timer looks again in a moment, and is not to be disturbed before.
    func mute() { state.withLock { $0.wake = .distantPast } }
}
