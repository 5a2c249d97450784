internal import Dispatch
internal import SagamoreThreads

/// Something to be done after a time.
///
/// It waits on a queue of Dispatch, not in a task: the threads of Swift's tasks are few, and user code may block them
/// all. A heartbeat must go out all the same.
final class Pause: Sendable {
    private struct State {
        var timer: (any DispatchSourceTimer)?
        var action: (@Sendable () -> Void)?
    }

    /// A queue that shares its threads with no task: Dispatch makes one for it when all others are blocked.
    private static let queue = DispatchQueue(label: "sagamore.pauses")

    private let state: Locked<State>

    /// - Parameter action: done once, on a thread that it must not block.
    init(_ action: @escaping @Sendable () -> Void) {
        state = Locked(State(action: action))
    }

    /// Does it after `length`, unless it is done or cancelled until then.
    func begin(_ length: Duration) {
        let (seconds, attoseconds) = max(.zero, min(length, .seconds(3_153_600_000))).components
        let timer = DispatchSource.makeTimerSource(queue: Self.queue)
        timer.schedule(
            deadline: .now() + .seconds(Int(seconds)) + .nanoseconds(Int(attoseconds / 1_000_000_000)),
            leeway: .milliseconds(5)
        )
        timer.setEventHandler { [self] in end() }
        let isDone = state.withLock { state in
            if state.action != nil { state.timer = timer }
            return state.action == nil
        }
        // Dispatch wants every timer to have been active once.
        timer.activate()
        if isDone { timer.cancel() }
    }

    /// Does it now, if it is not done.
    func end() { take()?() }

    /// It is not done any more.
    func cancel() { _ = take() }

    private func take() -> (@Sendable () -> Void)? {
        state.withLock { state in
            // The timer's handler holds this object, and the timer holds its handler until it is cancelled.
            state.timer?.cancel()
            state.timer = nil
            defer { state.action = nil }
            return state.action
        }
    }

    /// Does `action` after `length`.
    @discardableResult
    static func after(_ length: Duration, _ action: @escaping @Sendable () -> Void) -> Pause {
        let pause = Pause(action)
        pause.begin(length)
        return pause
    }
}
