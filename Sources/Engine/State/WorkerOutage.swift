/// A time in which workers could not reach the run: its owner changed, or could not commit.
///
/// Answers and heartbeats of that time were refused, and are sent again. What workers have to do in time is put off, so
/// that nothing times out before they could report.
public struct WorkerOutage: Equatable, Sendable {
    /// When it ended; not before the last moment at which a report was refused.
    public let end: Instant
    /// The time that workers get from `end` on at least.
    public let grace: Interval

    public init(end: Instant, grace: Interval) {
        self.end = end
        self.grace = grace
    }

    /// Workers could report all the time.
    public static let none = WorkerOutage(end: .distantPast, grace: .zero)

    /// The one of two that ended later.
    public func or(later other: WorkerOutage) -> WorkerOutage { end < other.end ? other : self }

    /// A deadline of what has been waited for since `start`.
    func putOff(_ deadline: Instant, since start: Instant) -> Instant {
        start <= end ? max(deadline, end + grace) : deadline
    }

    /// When an attempt that was last heard from at `heard` has been silent for too long. Heartbeats may have been lost
    /// with the previous owner, so the whole timeout begins anew at the end of the outage.
    ///
    /// - Parameter start: when the attempt started. Not `heard`: a heartbeat after the outage must not bring a deadline
    ///   forward that was put off, because the heap of deadlines never moves one forward.
    func heartbeatDeadline(heard: Instant, startedAt start: Instant, timeout: Interval) -> Instant {
        WorkerOutage(end: end, grace: max(grace, timeout)).putOff(heard + timeout, since: start)
    }
}
