internal import SagamoreEngine
internal import SagamoreThreads

/// The thread that lets the state of Matching do what is due. The state says when the next step is due.
final class MatchingTimer: Sendable {
    private struct State {
        var isStopped = false
        var isWoken = false
    }

    private let state = Monitor(State())

    /// Between two steps at least, so that polls that end one after the other share a step.
    private static let shortestPause = Interval.milliseconds(50)
    /// While tasks wait for a rate limit.
    private static let pacedPause = Interval.milliseconds(2)
    /// And at most: the wall clock may jump, and the next step may become due earlier. No postponed task is due sooner.
    private static let longestPause = Interval.milliseconds(250)

    /// Starts the thread.
    ///
    /// - Parameter step: does what is due, and returns how long to wait before the next step.
    func start(_ step: @escaping @Sendable () -> Interval) {
        _ = SystemThread.required("matching-timer") { [state] in
            var pause = Self.longestPause
            while true {
                let news = state.wait(atMost: .nanoseconds(pause.nanoseconds)) { $0.isStopped || $0.isWoken ? $0 : nil }
                if news?.isStopped ?? false { return }
                state.change { $0.isWoken = false }
                pause = step()
            }
        }
    }

    /// How long to wait before the next step, when nothing is due for `rest`.
    ///
    /// - Parameter isPaced: whether a task waits for a rate limit until then.
    static func pause(_ rest: Interval, isPaced: Bool = false) -> Interval {
        min(max(rest, isPaced ? pacedPause : shortestPause), longestPause)
    }

    /// Has the thread make a step at once.
    func wake() { state.change { $0.isWoken = true } }

    func stop() { state.change { $0.isStopped = true } }
}
