/// The severity of a log line.
public enum GRPCLogLevel: Int, Sendable, Comparable {
    /// Details for debugging.
    case debug
    /// Normal operation.
    case info
    /// Unusual, but handled.
    case warning
    /// Needs attention.
    case error

    /// Orders levels by severity.
    public static func < (left: GRPCLogLevel, right: GRPCLogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Receives one log line. Called from any thread; must not block.
public typealias GRPCLog = @Sendable (GRPCLogLevel, String) -> Void
