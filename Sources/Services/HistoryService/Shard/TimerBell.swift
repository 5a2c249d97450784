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

    /// A deadline was added that the timer may not know. Called under the shard's lock.
    func ring(for deadline: Instant) {
        let onRing = state.withLock { deadline < $0.wake ? $0.onRing : nil }
        onRing?()
    }

    /// The timer is looking at the shard. It may miss deadlines that are added from now on.
    func listen() { state.withLock { $0.wake = .distantFuture } }

    /// The timer sleeps until then.
    func sleep(until wake: Instant) { state.withLock { $0.wake = wake } }

    /// The timer looks again after a short pause, which no deadline shortens.
    func mute() { state.withLock { $0.wake = .distantPast } }
}
