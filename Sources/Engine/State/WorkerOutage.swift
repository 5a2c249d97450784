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

    /// A deadline of what has been waited for since `start`.
    func putOff(_ deadline: Instant, since start: Instant) -> Instant {
        start <= end ? max(deadline, end + grace) : deadline
    }

    /// When an attempt that was heard of last at `heard` has been silent for too long. Heartbeats may have been lost with
    /// the owner before, so the whole time begins anew.
    func heartbeatDeadline(heard: Instant, timeout: Interval) -> Instant {
        WorkerOutage(end: end, grace: max(grace, timeout)).putOff(heard + timeout, since: heard)
    }
}
