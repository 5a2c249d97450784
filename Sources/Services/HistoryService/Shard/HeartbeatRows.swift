internal import SagamoreEngine

/// Which heartbeats of a run's activities are in the database. Details are written at intervals, so that after a crash
/// the next attempt has recent ones.
struct HeartbeatRows: Equatable {
    /// When details were last written, by activity.
    private var writtenAt: [Int64: Instant] = [:]
    /// The run has rows, or will have. Its end removes them.
    private(set) var exist = false

    /// The run was loaded with rows.
    mutating func noteRead() { exist = true }

    /// Decides whether the details of a heartbeat are written now, and records it if so.
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
