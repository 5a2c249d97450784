/// How a run closed.
public enum RunEnd: UInt8, Equatable, Sendable {
    /// Its code completed, failed, or ended as canceled.
    case completed, failed, canceled
    /// Its code continued as new.
    case continuedAsNew
    /// It was ended from outside.
    case terminated, timedOut

    /// Whether the run's own code ended it.
    var isOwn: Bool { self != .terminated && self != .timedOut }
}
