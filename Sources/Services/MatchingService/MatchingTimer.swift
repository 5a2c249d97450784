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
    /// - Parameter step: does what is due, and returns how long nothing else is.
    func start(_ step: @escaping @Sendable () -> Interval) {
        _ = SystemThread.required("matching-timer") { [isStopped] in
            var pause = Self.longestPause
            while isStopped.wait(atMost: .nanoseconds(pause.nanoseconds), for: { $0 ? true : nil }) == nil {
                pause = min(max(step(), Self.shortestPause), Self.longestPause)
            }
        }
    }

    func stop() { isStopped.change { $0 = true } }
}
