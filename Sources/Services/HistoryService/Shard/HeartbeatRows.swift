internal import SagamoreEngine

/// What the database has of the heartbeats of a run's activities: details are written now and then, so that the next
/// attempt has some of them after a crash.
struct HeartbeatRows: Equatable {
    /// When details were last written, by activity.
    private var writtenAt: [Int64: Instant] = [:]
    /// There are rows, or there will be: the end of the run removes them.
    private(set) var exist = false

    /// Rows were read with the run.
    mutating func noteRead() { exist = true }

    /// Whether the details of a heartbeat are to be written now, and notes it.
    ///
    /// - Parameters:
    ///   - period: nothing is written more often than this.
    ///   - isPending: whether an activity has not ended; the others are forgotten.
    mutating func write(
        of activity: Int64,
        at now: Instant,
        period: Interval,
        isPending: (Int64) -> Bool
    ) -> Bool {
        if let last = writtenAt[activity], now < last + period { return false }
        if writtenAt[activity] == nil { writtenAt = writtenAt.filter { isPending($0.key) } }
        writtenAt[activity] = now
        exist = true
        return true
    }
}
