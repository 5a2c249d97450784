/// How a run closed.
public enum RunEnd: UInt8, Equatable, Sendable {
    /// Its code completed, failed, or ended as canceled.
    case completed, failed, canceled
    /// It was ended from outside.
    case terminated, timedOut
}
