/// How much a line of the log matters.
public enum GRPCLogLevel: Int, Sendable, Comparable {
    /// For whoever looks for a fault.
    case debug
    /// What happens in normal operation.
    case info
    /// Something that should not happen often.
    case warning
    /// Something that needs somebody.
    case error

    /// Orders levels by weight.
    public static func < (left: GRPCLogLevel, right: GRPCLogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Takes one line of the log. Called from any thread; it must not block.
public typealias GRPCLog = @Sendable (GRPCLogLevel, String) -> Void
