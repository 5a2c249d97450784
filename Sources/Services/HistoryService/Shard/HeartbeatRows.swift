internal import SagamoreEngine

/// Decides which heartbeat details are written to the database. They are written at intervals, so that after a crash
/// the next attempt gets recent ones.
struct HeartbeatRows: Equatable {
    /// When details were last written, by activity.
    private var writtenAt: [Int64: Instant] = [:]
    /// Whether the run has rows, stored or queued. Its end removes them.
    private(set) var exist = false

    /// The run was loaded with rows.
    mutating func noteRead() { exist = true }

    /// Decides whether the details of a heartbeat are written now, and records it if so.
    ///
    /// - Parameters:
    ///   - period: the shortest time between two writes of an activity.
    ///   - isPending: whether an activity has not ended. Ended activities are forgotten.
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
