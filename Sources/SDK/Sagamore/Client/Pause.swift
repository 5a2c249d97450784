internal import Dispatch
internal import SagamoreThreads

/// Runs an action once, after a delay.
///
/// It waits on a Dispatch queue, not in a task: Swift's cooperative threads are few, and user code may block all of
/// them. Heartbeats must be sent regardless.
final class Pause: Sendable {
    private struct State {
        var timer: (any DispatchSourceTimer)?
        var action: (@Sendable () -> Void)?
    }

    /// Shares no threads with Swift's tasks: Dispatch creates one for it when all others are blocked.
    private static let queue = DispatchQueue(label: "sagamore.pauses")

    private let state: Locked<State>

    /// - Parameter action: runs once, on a thread that it must not block.
    init(_ action: @escaping @Sendable () -> Void) {
        state = Locked(State(action: action))
    }

    /// Runs the action after `length`, unless it has run or been cancelled by then.
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
        // Dispatch requires that every timer is activated before it is released.
        timer.activate()
        if isDone { timer.cancel() }
    }

    /// Runs the action now, if it has not run.
    func end() { take()?() }

    /// Drops the action.
    func cancel() { _ = take() }

    private func take() -> (@Sendable () -> Void)? {
        state.withLock { state in
            // Breaks a cycle: the timer holds its handler until it is cancelled, and the handler holds this object.
            state.timer?.cancel()
            state.timer = nil
            defer { state.action = nil }
            return state.action
        }
    }

    /// Runs `action` after `length`.
    @discardableResult
    static func after(_ length: Duration, _ action: @escaping @Sendable () -> Void) -> Pause {
        let pause = Pause(action)
        pause.begin(length)
        return pause
    }
}
