/// Limits of one run. The defaults are Temporal's.
public struct Limits: Sendable {
    /// Temporal default: 51,200 events.
    public var historyEvents: Int64 = 51_200
    /// Temporal default: 50 MiB.
    public var historyBytes: Int64 = 50 << 20
    /// The number of events from which workers are told to continue as new. Temporal default: 4,096.
    public var suggestedEvents: Int64 = 4_096
    /// The history size in bytes from which workers are told to continue as new. Temporal default: 4 MiB.
    public var suggestedBytes: Int64 = 4 << 20
    /// Pending activities of one run. Temporal default: 2,000.
    public var pendingActivities = 2_000
    /// Pending timers of one run.
    public var pendingTimers = 2_000
    /// Signals that one run accepts in total. Temporal default: 10,000.
    public var signals = 10_000
    /// One payload collection. Temporal default: 2 MiB.
    public var payloadBytes = 2 << 20
    /// The size to which an attempt's failure is cut while the next attempt is pending. Temporal default: 4 KiB.
    static let keptFailureBytes = 4 << 10
    /// The length of workflow ids, types, queue names and signal names. Temporal default: 1,000.
    public var identifierLength = 1_000

    public init() {}
}
