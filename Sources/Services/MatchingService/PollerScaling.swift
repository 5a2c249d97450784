internal import SagamoreEngine

/// Suggests to workers that let the server scale their polls (`PollerScalingDecision`) how many to keep of a queue.
struct PollerScaling {
    /// What is known when a poll gets a task.
    struct Match {
        /// How long the poll has waited.
        let pollWaited: Interval
        /// How long the task has waited for a poll.
        let taskWaited: Interval
        /// The tasks that still wait, in memory or in the database.
        let backlog: Int
        /// The polls that wait.
        let polls: Int
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
    /// - Parameter rates: how many tasks came and went a second; asked only where the backlog says nothing.
    mutating func delta(
        for match: Match,
        at now: Instant,
        rates: () -> (added: Double, dispatched: Double)
    ) -> Int32 {
        if match.pollWaited >= Self.patience { return -1 }
        let pause = Interval(nanoseconds: Self.pause.nanoseconds / Int64(max(1, match.polls)))
        guard now >= lookedAt + pause else { return 0 }
        lookedAt = now
        return needsMore(match, rates) ? 1 : 0
    }

    private func needsMore(_ match: Match, _ rates: () -> (added: Double, dispatched: Double)) -> Bool {
        if match.backlog > 0, match.taskWaited > Self.longestWait { return true }
        let (added, dispatched) = rates()
        return dispatched > 0 && added / dispatched > Self.growth
    }
}
