/// Limits of one run. The defaults are Temporal's.
public struct Limits: Sendable, Equatable {
    /// The number of events beyond which the run is terminated. Temporal default: 51,200.
    public var historyEvents: Int64 = 51_200
    /// The history size in bytes beyond which the run is terminated. Temporal default: 50 MiB.
    public var historyBytes: Int64 = 50 << 20
    /// The number of events beyond which a warning is logged, once. Temporal default: 10,240.
    public var warnedEvents: Int64 = 10_240
    /// The history size in bytes beyond which a warning is logged, once. Temporal default: 10 MiB.
    public var warnedBytes: Int64 = 10 << 20
    /// The number of events from which workers are told to continue as new. Temporal default: 4,096.
    public var suggestedEvents: Int64 = 4_096
    /// The history size in bytes from which workers are told to continue as new. Temporal default: 4 MiB.
    public var suggestedBytes: Int64 = 4 << 20
    /// Pending activities of one run. Temporal default: 2,000.
    public var pendingActivities = 2_000
    /// Pending children of one run. Temporal default: 2,000.
    public var pendingChildren = 2_000
    /// Signals to other workflows that have not been answered. Temporal default: 2,000.
    public var pendingExternalSignals = 2_000
    /// Cancel requests to other workflows that have not been answered. Temporal default: 2,000.
    public var pendingExternalCancels = 2_000
    /// Signals that one run accepts in total. Temporal default: 10,000.
    public var signals = 10_000
    /// How long a run of a chain takes at least, with the pause before the next one. Temporal default: 1 s.
    public var shortestRun = Interval.seconds(1)
    /// Updates of one run without an outcome. Temporal default: 10.
    public var updatesInFlight = 10
    /// Updates that one run accepts in total. Temporal default: 2,000.
    public var updates = 2_000
    /// The most events behind the last workflow task for which a worker may forget a speculative one. Temporal's.
    static let eventsBehindDiscardedTask: Int64 = 10
    /// One payload collection. Temporal default: 2 MiB.
    public var payloadBytes = 2 << 20
    /// The size beyond which a payload collection is logged. Temporal default: 256 KiB.
    public var warnedPayloadBytes = 256 << 10
    /// The memo of one run. Temporal default: 2 MiB.
    public var memoBytes = 2 << 20
    /// The size beyond which a memo is logged. Temporal default: 2 KiB.
    public var warnedMemoBytes = 2 << 10
    /// Search attributes of one request. Temporal default: 100.
    public var searchAttributes = 100
    /// One value of a search attribute. Temporal default: 2 KiB.
    public var searchAttributeBytes = 2 << 10
    /// All search attributes of one run. Temporal default: 40 KiB.
    public var searchAttributesBytes = 40 << 10
    /// The size to which an attempt's failure is cut while the next attempt is pending. Temporal default: 4 KiB.
    static let keptFailureBytes = 4 << 10
    /// The length of workflow ids, types, queue names and signal names. Temporal default: 1,000.
    public var identifierLength = 1_000

    /// Where cron schedules find the rules of the time zones that they name.
    public var timeZones = TimeZones.universalOnly

    public init() {}
}
