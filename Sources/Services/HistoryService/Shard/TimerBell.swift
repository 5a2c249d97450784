internal import SagamoreEngine
internal import SagamoreThreads

/// Wakes a shard's timer for a deadline that is earlier than the one it sleeps until.
final class TimerBell: Sendable {
    private struct State {
        /// Only an earlier deadline rings.
        var wake = Instant.distantFuture
        var onRing: @Sendable () -> Void = {}
    }

    private let state = Locked(State())

    /// Sets what a ring does. Called before the first ring.
    func connect(_ onRing: @escaping @Sendable () -> Void) { state.withLock { $0.onRing = onRing } }

    /// Rings for a new deadline that the timer may not know about. Called under the shard's lock.
    func ring(for deadline: Instant) {
        let onRing = state.withLock { deadline < $0.wake ? $0.onRing : nil }
        onRing?()
    }

    /// The timer begins its turn. It may miss deadlines that are added from now on.
    func listen() { state.withLock { $0.wake = .distantFuture } }

    /// The timer sleeps until `wake`.
    func sleep(until wake: Instant) { state.withLock { $0.wake = wake } }

    /// The timer pauses briefly. No deadline shortens the pause.
    func mute() { state.withLock { $0.wake = .distantPast } }
}
