internal import SagamoreEngine
internal import SagamoreThreads

/// The thread that lets the state of Matching do what is due. The state says when the next step is due.
final class MatchingTimer: Sendable {
    private let isStopped = Monitor(false)

    /// Between two steps at least, so that polls that end one after the other share a step.
    private static let shortestPause = Interval.milliseconds(50)
    /// And at most: the wall clock may jump, and the next step may become due earlier. No postponed task is due sooner.
    private static let longestPause = Interval.milliseconds(250)

    /// Starts the thread.
    ///
    /// - Parameter step: does what is due, and returns how long to wait before the next step.
    func start(_ step: @escaping @Sendable () -> Interval) {
        _ = SystemThread.required("matching-timer") { [isStopped] in
            var pause = Self.longestPause
            while isStopped.wait(atMost: .nanoseconds(pause.nanoseconds), for: { $0 ? true : nil }) == nil {
                pause = step()
            }
        }
    }

    /// How long to wait before the next step, when nothing is due for `rest`.
    static func pause(_ rest: Interval) -> Interval { min(max(rest, shortestPause), longestPause) }

    func stop() { isStopped.change { $0 = true } }
}
