internal import SagamoreEngine

/// Suggests to workers that let the server scale their polls (`PollerScalingDecision`) how many to keep of a queue.
struct PollerScaling {
    /// What is known of the queue when a poll gets a task.
    struct Queue {
        /// The tasks that still wait, in memory or in the database.
        let backlog: Int
        /// How many tasks come and go a second.
        let rates: (added: Double, dispatched: Double)
    }

    /// A poll that waited this long was one too many. Temporal default: 1 s.
    static let patience = Interval.seconds(1)
    /// Tasks that wait this long need more polls. Temporal default: 200 ms.
    static let longestWait = Interval.milliseconds(200)
    /// More tasks than this came for each that went: more polls are needed. Temporal: 1.2.
    static let growth = 1.2
    /// How often more polls may be suggested to each poller. Temporal default: 10 times a second.
    static let pause = Interval.milliseconds(100)

    /// When it last looked whether more polls are needed.
    private var lookedAt = Instant.distantPast

    /// -1 for one poll less, 1 for one more, 0 for no change.
    ///
    /// - Parameters:
    ///   - pollWaited: how long the poll has waited for a task.
    ///   - taskWaited: how long the task has waited for a poll.
    ///   - polls: the polls that wait.
    ///   - queue: asked only now and then.
    mutating func delta(
        pollWaited: Interval,
        taskWaited: Interval,
        polls: Int,
        at now: Instant,
        queue: () -> Queue
    ) -> Int32 {
        if pollWaited >= Self.patience { return -1 }
        let pause = Interval(nanoseconds: Self.pause.nanoseconds / Int64(max(1, polls)))
        guard now >= lookedAt + pause else { return 0 }
        lookedAt = now
        let queue = queue()
        if queue.backlog > 0, taskWaited > Self.longestWait { return 1 }
        let (added, dispatched) = queue.rates
        return dispatched > 0 && added / dispatched > Self.growth ? 1 : 0
    }
}
